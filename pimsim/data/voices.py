"""Voices and words of the synthetic speech sets.

The voices of the evaluation set appear in no training set: not as a pair of accent and variant,
and not as a variant under another accent. Variants that share a name up to a number (Gene, Gene2)
stay on one side.
"""

from __future__ import annotations

from pimsim.data.speech_commands import CLASSES


def _words(text: str) -> tuple[str, ...]:
    return tuple(text.split())


ACCENTS = (
    "en",
    "en-029",
    "en-gb-scotland",
    "en-gb-x-gbclan",
    "en-gb-x-gbcwmd",
    "en-gb-x-rp",
    "en-us",
    "en-us-nyc",
)

EVALUATION_VARIANTS = _words(
    """
    m2 m5 m8 f2 f4 Alex Andrea Gene Gene2 Hugo Lee belinda david grandma ian linda max pablo
    quincy steph steph2 victor
    """
)

# espeak-ng's other variants, but for whispers and robots, and two that speak slowly
TRAINING_VARIANTS = _words(
    """
    m1 m3 m4 m6 m7 f1 f3 f5 Alicia Andy Annie Denis Diogo Henrique Jacky Marco Mario Michael
    Mike mike2 Nguyen Reed RicishayMax RicishayMax2 RicishayMax3 Storm adam anika announcer
    antonio aunty benjamin boris caleb croak ed edward edward2 grandpa gustave iven iven2 iven3
    iven4 john kaukovalta klatt klatt2 klatt3 klatt4 klatt5 klatt6 marcelo michel miguel norbert
    paul pedro rob robert sandro shelby travis zac
    """
)

KEYWORDS = CLASSES[2:]

# the 25 words of Speech Commands that are not keywords
OTHER_WORDS = _words(
    """
    backward bed bird cat dog eight five follow forward four happy house learn marvin nine one
    seven sheila six three tree two visual wow zero
    """
)

# more words for training, so that class `unknown` has more than those 25
MORE_WORDS = _words(
    """
    apple autumn bottle breakfast button camera candle chair cheese circle coffee dinner doctor
    engine finger flower garden ghost green guitar hammer helmet island jacket kitchen ladder
    lemon letter market matter mirror monday moment morning mother mountain music number ocean
    orange paper pencil people pepper piano picture pillow planet please pocket purple rabbit
    river school second shadow silver sister spring square story summer table thank thunder
    ticket tiger tomato travel turn under water wait weather window winter wonder yellow
    """
)


def voices(variants: tuple[str, ...]) -> tuple[str, ...]:
    """Names of all pairs of accent and variant in espeak-ng's form, such as ``en-us+f2``."""
    return tuple(f"{accent}+{variant}" for variant in variants for accent in ACCENTS)

"""The espeak-ng speech synthesiser, through ctypes; needs `pip install pimsim[data]`."""

from __future__ import annotations

import ctypes

import numpy as np
from numpy.typing import NDArray

from pimsim.errors import DataError

# names and values of espeak-ng's public header, speak_lib.h
_AUDIO_OUTPUT_SYNCHRONOUS = 2
_DONT_EXIT = 0x8000
_RATE, _PITCH, _RANGE = 1, 3, 4
_POS_CHARACTER = 1
_CHARS_UTF8 = 1
_CALLBACK = ctypes.CFUNCTYPE(
    ctypes.c_int, ctypes.POINTER(ctypes.c_short), ctypes.c_int, ctypes.c_void_p
)


class Speaker:
    """A speech synthesiser for single words.

    The library keeps state between words (the phase of its oscillators), and a process has one
    library: the same words give the same samples only in the same order from the start of a
    process.

    Raises
    ------
    DataError
        If espeak-ng is not installed or does not start.
    """

    def __init__(self) -> None:
        try:
            import espeakng_loader

            self._library = ctypes.CDLL(espeakng_loader.get_library_path())
            data = espeakng_loader.get_data_path()
        except (ImportError, OSError, RuntimeError) as error:
            raise DataError(
                f"the speech synthesiser espeak-ng cannot be loaded ({error})",
                remedy="Install it with `pip install pimsim[data]`.",
            ) from error
        self._chunks: list[NDArray[np.int16]] = []
        self._callback = _CALLBACK(self._collect)  # kept here: the library holds only a pointer
        self.sample_rate = int(
            self._library.espeak_Initialize(_AUDIO_OUTPUT_SYNCHRONOUS, 0, data.encode(), _DONT_EXIT)
        )
        if self.sample_rate <= 0:
            raise DataError(
                "the speech synthesiser espeak-ng does not start",
                remedy="Install it anew with `pip install --force-reinstall espeakng-loader`.",
            )
        self._library.espeak_SetSynthCallback(self._callback)

    def say(
        self, word: str, voice: str, *, rate: int, pitch: int, pitch_range: int, seed: int
    ) -> NDArray[np.int16]:
        """Synthesise one word.

        Parameters
        ----------
        word
            Text to speak.
        voice
            Language and voice variant as espeak-ng names them, such as ``en-us+f2``.
        rate : int
            Speed [words per minute].
        pitch, pitch_range : int
            Base pitch and its variation, 0..100.
        seed : int
            Seed of the synthesiser's own breath and flutter noise.

        Returns
        -------
        (n,) int16
            Samples at `sample_rate`.

        Raises
        ------
        DataError
            If this espeak-ng does not have the voice.
        """
        library = self._library
        if library.espeak_SetVoiceByName(voice.encode()) != 0:
            raise DataError(
                f"espeak-ng has no voice '{voice}'",
                remedy="Use the version of espeakng-loader that setup.cfg asks for.",
            )
        library.espeak_SetParameter(_RATE, rate, 0)
        library.espeak_SetParameter(_PITCH, pitch, 0)
        library.espeak_SetParameter(_RANGE, pitch_range, 0)
        library.espeak_ng_SetRandSeed(ctypes.c_long(seed))
        self._chunks.clear()
        text = word.encode()
        library.espeak_Synth(text, len(text) + 1, 0, _POS_CHARACTER, 0, _CHARS_UTF8, None, None)
        return np.concatenate(self._chunks) if self._chunks else np.zeros(0, np.int16)

    def _collect(self, samples: ctypes._Pointer[ctypes.c_short], count: int, _events: int) -> int:
        if samples and count > 0:
            self._chunks.append(np.ctypeslib.as_array(samples, (count,)).astype(np.int16))
        return 0

"""What an architect asks: run a model, hand out test vectors."""

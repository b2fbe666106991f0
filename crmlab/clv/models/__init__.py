"""Models of repeat buying and of spend: a fitted model is numbers."""

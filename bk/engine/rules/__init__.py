"""The `.rules` language: what people write, how it is read, and how it is judged. Pure, like lowering and checks."""

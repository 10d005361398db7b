"""The judge and the lexicon as shipped; they never change, so that all tests of a process share them."""

from detectors.engine.judge import Judge

JUDGE = Judge()
LEXICON = JUDGE.lexicon

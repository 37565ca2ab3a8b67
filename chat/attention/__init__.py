"""Attention: who is mentioned, what is to be told to whom, who has read what, and who does not want to hear of whom."""

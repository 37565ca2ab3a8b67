"""`tandem bench`: what things cost, beside what others take for the same; ratios and counts rather than times."""

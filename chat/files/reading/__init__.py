"""Reading files back, all or in part, by those who may."""

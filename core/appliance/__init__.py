"""A computer that is nothing but a studio: how OTO gets onto it, who may do what there, drives, and the package."""

"""The library on disk: sessions, tracks, takes, plans and bounces as plain files that outlive OTO."""

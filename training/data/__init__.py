"""What the networks learn from: sources with their licences, rendered and recorded, split by song and by source."""

"""The process that captures, plays, meters and owns the jobs. It stays light: no scipy, no Textual, no onnxruntime."""

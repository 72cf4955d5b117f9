"""Users' networks as networks of pimsim: from torch modules and from ONNX files."""

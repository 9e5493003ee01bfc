"""A trained network as ONNX, Keras, PyTorch or scikit-learn, checked to answer the same."""

"""The networks, as PyTorch modules: plain convolutions only, so that a browser runs what we export."""

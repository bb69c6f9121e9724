"""The method of Large Scale Adversarial Representation Learning (Donahue & Simonyan 2019, arXiv:1907.02544).

Tensors in, tensors out; torch and nothing else. Shapes are written with these letters:

    N images, C channels, H height, W width, Z latent size, F feature size
"""

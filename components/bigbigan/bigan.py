"""What all of BiGAN's networks have in common (Donahue et al. 2017, appendix, and their public code)."""

BATCH_NORM_EPS = 1e-8
WEIGHT_STD = 0.02  # of the first weights, N(0, 0.02²)
LEAK = 0.2  # slope of leaky ReLU below 0, in E and D

"""Prints the Gaussian weights that MONAI's sliding_window_inference uses, for sliding_window_test.

Run with torch and MONAI on the path. Made with torch 2.11.0 and MONAI 1.6.1.
"""

from monai.data.utils import compute_importance_map, dense_patch_slices
from monai.inferers.utils import _get_scan_interval

weights = compute_importance_map((8, 8, 8), mode="gaussian", sigma_scale=0.125).clamp(min=1e-3)
print("8^3:", ["%.8e" % weights[i].item() for i in ((0, 0, 0), (3, 3, 3), (1, 3, 4), (2, 5, 1))])
for image, window, overlap in ((20, 8, 0.25), (321, 160, 0.25), (200, 160, 0.25), (500, 160, 0.9), (400, 160, 0.8)):
    step = _get_scan_interval((image,), (window,), 1, (overlap,))
    print(image, window, overlap, [s[0].start for s in dense_patch_slices((image,), (window,), step)])

#!/usr/bin/env python3
"""Weights files against MONAI itself: what save_weights writes, MONAI's UNet takes strictly; what torch.save writes,
load_weights takes; and both ways the forward pass and the gradients of the two agree.

usage: weights_test.py WEIGHTS_SAMPLE
PYTHONPATH holds torch and MONAI (tools/setup.sh --peers); exit code 77 where they cannot be imported.
"""

import os
import pathlib
import subprocess
import sys
import tempfile
import unittest
import warnings

warnings.filterwarnings("ignore", message="Failed to initialize NumPy")
DEBIANS_PYTHON = "/usr/bin/python3"  # the one that tools/setup.sh fetched the wheels for

try:
    import torch
    from monai.networks.nets import UNet
except ImportError as error:
    if os.path.exists(DEBIANS_PYTHON) and not os.environ.get("PROXYTUNE_SECOND_TRY"):
        os.environ["PROXYTUNE_SECOND_TRY"] = "1"
        os.execv(DEBIANS_PYTHON, [DEBIANS_PYTHON, *sys.argv])
    print(f"skipped: torch and MONAI cannot be imported ({error}); run tools/setup.sh --peers")
    sys.exit(77)

PROGRAM = sys.argv.pop(1)
SIZES = {"full": (16, 5, 2), "proxy of 5 levels": (4, 5, 1), "proxy of 4 levels": (4, 4, 1),
         "proxy of 3 levels": (4, 3, 1)}
NORMS = ("instance", "batch")
SHAPE = (1, 1, 32, 32, 32)


def monai(size, norm):
    channels, levels, units = SIZES[size]
    widths = [channels << level for level in range(levels)]
    return UNet(3, 1, 2, widths, [2] * (levels - 1), num_res_units=units, norm=norm)


def wave(shape, step):
    count = torch.Size(shape).numel()
    return torch.sin(step * torch.arange(count, dtype=torch.float64)).reshape(shape).float().double()


class Case(unittest.TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def sample(self, what, size, norm):
        """Runs the helper; its results and the path of the weights."""
        weights, results = self.folder / "weights.pt", self.folder / "results.pt"
        command = [PROGRAM, what, *map(str, SIZES[size]), norm, str(weights), str(results)]
        run = subprocess.run(command, capture_output=True, text=True, timeout=120, check=False)
        self.assertEqual(run.returncode, 0, run.stderr)
        return torch.load(results, weights_only=True), weights

    def close(self, ours, theirs, largest, tolerance, what):
        self.assertEqual(ours.shape, theirs.shape, what)
        difference = (ours.double() - theirs).abs().max().item()
        self.assertLessEqual(difference, tolerance * largest, what)

    def agree(self, ours, state, size, norm):
        """Our results and those of MONAI in float64 with the same weights."""
        network = monai(size, norm).double()
        network.load_state_dict(state, strict=True)
        image = wave(SHAPE, 0.37)
        with torch.no_grad():
            logits = network.eval()(image)
        self.close(ours.pop("logits"), logits, logits.abs().max().item(), 1e-4, "logits")
        logits = network.train()(image)
        (logits * wave(logits.shape, 0.11)).sum().backward()
        logits = logits.detach()
        self.close(ours.pop("training"), logits, logits.abs().max().item(), 1e-10, "logits in training")
        gradients = {name: parameter.grad for name, parameter in network.named_parameters()}
        self.assertEqual(list(ours), list(gradients))
        largest = max(gradient.abs().max().item() for gradient in gradients.values())
        for name, gradient in gradients.items():
            self.close(ours[name], gradient, largest, 1e-10, f"gradient of {name}")


class WeightsFiles(Case):
    def test_monai_takes_what_we_write(self):
        for size in SIZES:
            for norm in NORMS:
                with self.subTest(size=size, norm=norm):
                    ours, weights = self.sample("write", size, norm)
                    state = torch.load(weights, weights_only=True)
                    self.assertEqual(list(state), list(monai(size, norm).state_dict()))
                    self.agree(ours, state, size, norm)

    def test_we_take_what_monai_writes(self):
        for size in SIZES:
            for norm in NORMS:
                with self.subTest(size=size, norm=norm):
                    torch.manual_seed(3)
                    network = monai(size, norm)
                    with torch.no_grad():
                        network(wave(SHAPE, 0.21).float())  # moves the running moments
                    state = network.state_dict()
                    torch.save(state, self.folder / "weights.pt")
                    ours, _ = self.sample("read", size, norm)
                    self.agree(ours, state, size, norm)

    def test_what_was_read_is_not_the_initialisation(self):
        """The comparison above can fail."""
        ours, weights = self.sample("write", "proxy of 3 levels", "instance")
        state = torch.load(weights, weights_only=True)
        state["model.1.submodule.0.residual.weight"][0, 0, 1, 1, 1] += 0.5
        with self.assertRaises(AssertionError):
            self.agree(ours, state, "proxy of 3 levels", "instance")


if __name__ == "__main__":
    torch.set_num_threads(1)
    unittest.main(verbosity=2)

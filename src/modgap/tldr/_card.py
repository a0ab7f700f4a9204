"""The card of a detector: what it is, how it was trained, what it found on validation data."""

from __future__ import annotations

from typing import TYPE_CHECKING

import modgap

from ._reading import BIDIRECTIONAL, CAUSAL

if TYPE_CHECKING:
    from ._detector import DetectorConfig

_READS = {
    CAUSAL: "It reads causally: a score depends on the picture and on what stands before, never on what "
    "comes after, so it can judge a caption while it is written.",
    BIDIRECTIONAL: "It reads bidirectionally: a score depends on the picture and on the whole caption, which "
    "must be finished.",
}


def write_card(config: DetectorConfig, seconds: float) -> str:
    """The README of a detector folder.

    Args:
        config: of the detector.
        seconds: of a processor, that the last part of the training took.
    """
    training, calibration = config.training, config.calibration
    lora = training["lora"]
    parts = " and ".join(lora["parts"]) or "nothing: a probe on the frozen model"
    lines = [
        "---",
        "library_name: peft",
        f"base_model: {config.base}",
        "tags: [modgap, tldr, token-classification]",
        "---",
        "",
        "# A detector of wrong words in captions (TLDR)",
        "",
        f"Trained by modgap {modgap.__version__} on `{config.base}`: a linear head on the state at each "
        f"token of a caption, and low-rank changes (rank {lora['rank']}, alpha {lora['alpha']:g}, scaled by "
        f'alpha/rank) on {parts}. {_READS[config.way]} `head.safetensors` gives the logit of "right".',
        "",
        "```python",
        "from modgap.tldr import Item, load_detector",
        "",
        'scores = load_detector("this-folder").score([Item(image, "Two red circles.")])',
        "```",
        "",
        f"The prompt is frozen: {config.prompt!r}."
        if config.prompt
        else "It was trained on several prompts.",
        f"Objective `{config.objective}`, {training['captions_seen']:,} captions in {training['steps']:,} "
        f"steps, learning rate {training['learning_rate']:g}, seed {training['seed']}, {seconds:.0f} s of a "
        f"processor. Of the training tokens {100 * training['prior']:.2f} % were wrong.",
    ]
    if config.validation:
        v = config.validation
        lines += [
            "",
            "On the validation split of its data:",
            "",
            "| captions | tokens | prevalence | AP(neg) | AUROC of responses | ECE before | ECE |",
            "|---|---|---|---|---|---|---|",
            f"| {v['captions']:,} | {v['tokens']:,} | "
            + " | ".join(
                "–" if x is None else f"{x:.4f}"
                for x in (
                    v["prevalence"],
                    v["ap_neg"],
                    v["auroc_response"],
                    calibration.ece_before,
                    calibration.ece,
                )
            )
            + " |",
            "",
            "AP(neg) is the average precision for wrong tokens, pooled; chance is the prevalence. ECE is on "
            "half of the groups, with scale and shift from the other half.",
            "",
            f"A token is flagged above {calibration.threshold:.4g}: of captions without an error about "
            f"pictures like those of the validation split, at most {100 * (calibration.alpha or 0):g} % are "
            f"flagged on average (split conformal, {calibration.clean:,} clean captions).",
        ]
    return "\n".join([*lines, ""])

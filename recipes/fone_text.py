"""Text with numbers in it: a small language model with FoNE attached, against the same model with its digits.

    python recipes/fone_text.py --out runs/fone-text
    python recipes/fone_text.py --model meta-llama/Llama-3.2-1B --steps 2000 --device cuda --out runs/text-1b

Both arms start from the same model, read the same texts in the same order for the same number of steps, and
are trained on the log-likelihood of the texts: of tokens, and for FoNE of the number token and the slots of
the number together. So the nats of a whole text can be compared although the tokens differ, and so can
perplexity over the tokens that both share, those outside numbers. Nats of a number are those of all its
tokens, the space before it included; FoNE's are the number token and the probability of the number as it is
printed.

Texts are short stories of a shop, trains and towns made by a formula here (``story``): about half of their
numbers follow from others (sums, differences, products), the rest are free. Validation and test texts are
other draws. The rate of each arm is chosen on validation texts from ``RATES``, with a seed that is not
reported.
"""

from __future__ import annotations

import argparse
import json
import time
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import AutoModelForCausalLM, AutoTokenizer

from modgap.fone import Codec, NumberModel, attach, find_numbers
from modgap.models.bundled import FOLDER

RATES = (3e-4, 1e-3)
CODEC = Codec(7, 2)
NAMES = ("Ana", "Bo", "Eva", "Ivo", "Mia", "Tom")
THINGS = ("pens", "books", "lamps", "cups", "boxes", "chairs")


def story(rng: np.random.Generator) -> str:
    """Three sentences; every second number or so follows from those before it."""
    return " ".join(SENTENCES[i](rng) for i in rng.integers(0, len(SENTENCES), 3))


def _paid(rng: np.random.Generator) -> str:
    count, cents = int(rng.integers(2, 10)), int(rng.integers(25, 2_000))
    name, thing = rng.choice(NAMES), rng.choice(THINGS)
    return f"{name} bought {count} {thing} at {money(cents)} each and paid {money(count * cents)}."


def _made(rng: np.random.Generator) -> str:
    a, b = map(int, rng.integers(10, 1_000, 2))
    return f"There were {a} {rng.choice(THINGS)}, {b} more came, and now there are {a + b}."


def _left(rng: np.random.Generator) -> str:
    a = int(rng.integers(100, 1_000))
    b = int(rng.integers(10, a))
    return f"Of {a} people on the train {b} got off, so {a - b} stayed."


def _grew(rng: np.random.Generator) -> str:
    year, people, more = (
        int(rng.integers(1900, 2020)),
        int(rng.integers(1_000, 90_000)),
        int(rng.integers(10, 999)),
    )
    return f"In {year} the town had {people} people, and in {year + 1} it had {people + more}, {more} more."


def _room(rng: np.random.Generator) -> str:
    floor, door = int(rng.integers(1, 10)), int(rng.integers(1, 40))
    return f"{rng.choice(NAMES)} lives on floor {floor}, behind door {100 * floor + door}."


SENTENCES = (_paid, _made, _left, _grew, _room)


def money(cents: int) -> str:
    return f"{cents // 100}.{cents % 100:02d}"


@dataclass(frozen=True)
class Nats:
    """Sums over texts: nats of shared text tokens and of numbers, how many of each, and numbers right."""

    text: float
    text_tokens: int
    numbers: float
    number_count: int
    right: int

    def summary(self, texts: int) -> dict[str, float]:
        return {
            "perplexity_of_text": float(np.exp(self.text / self.text_tokens)),
            "nats_per_number": self.numbers / self.number_count,
            "nats_per_text": (self.text + self.numbers) / texts,
            "numbers_right": self.right / self.number_count,
            "numbers": self.number_count,
        }


class Digits:
    """The model with its own tokens."""

    def __init__(self, base: Any, tokenizer: Any) -> None:
        self.model, self.tokenizer = base, tokenizer

    def parameters(self) -> list[Any]:
        return list(self.model.parameters())

    def loss(self, texts: list[str]) -> torch.Tensor:
        logits, ids, mask, _ = self._run(texts)
        wanted = ids[:, 1:].masked_fill(~mask[:, 1:], -100)
        return torch.nn.functional.cross_entropy(logits[:, :-1].flatten(0, 1), wanted.flatten())

    def measure(self, texts: list[str]) -> Nats:
        logits, ids, mask, offsets = self._run(texts)
        nats, hit = _nats(logits, ids)
        found = Nats(0.0, 0, 0.0, 0, 0)
        for row, text in enumerate(texts):
            number_at = np.full(ids.shape[1], -1)
            spans = find_numbers(text)
            for i, span in enumerate(spans):
                number_at[(offsets[row, :, 0] < span.end) & (offsets[row, :, 1] > span.start)] = i
            found = _add(found, nats[row], hit[row], mask[row].cpu().numpy(), number_at, len(spans))
        return found

    def _run(self, texts: list[str]) -> tuple[Any, Any, Any, Any]:
        batch = self.tokenizer(texts, return_tensors="pt", padding=True, return_offsets_mapping=True)
        device = self.model.device
        ids, mask = batch["input_ids"].to(device), batch["attention_mask"].to(device)
        logits = self.model(input_ids=ids, attention_mask=mask).logits.float()
        return logits, ids, mask.bool(), batch["offset_mapping"].numpy()


class Fone:
    """The model with numbers as single tokens."""

    def __init__(self, base: Any, tokenizer: Any) -> None:
        self.model: NumberModel = attach(base, tokenizer, codec=CODEC)
        self.space = self.model.tokenizer.encode(" ", add_special_tokens=False)[-1]

    def parameters(self) -> list[Any]:
        return list(self.model.parameters())

    def loss(self, texts: list[str]) -> torch.Tensor:
        batch = self.model.encode_text(texts)
        output = self.model(**batch)
        predicted = (batch["labels"][:, 1:] != -100).sum()
        slots = (batch["number_labels"][:, 1:] >= 0).sum()
        # Both losses are means; this is the log-likelihood of everything, per token.
        return output.token_loss + output.number_loss * slots / predicted

    def measure(self, texts: list[str]) -> Nats:
        batch = self.model.encode_text(texts)
        output = self.model(**{k: v for k, v in batch.items() if not k.endswith("labels")})
        ids, mask = batch["input_ids"], batch["attention_mask"].bool()
        nats, hit = _nats(output.logits, ids)
        is_number = ids == self.model.text.number_id
        rows, at = torch.nonzero(is_number, as_tuple=True)
        found = self.model.head(output.states[rows, at - 1])  # type: ignore[misc]
        labels = batch["number_labels"][rows, at]
        nats[rows.cpu(), at.cpu()] -= np.log(np.maximum(found.chances(labels).cpu().numpy(), 1e-30))
        same = [
            a == b for a, b in zip(found.numbers(), found.slots.numbers(labels.cpu().numpy()), strict=True)
        ]
        hit[rows.cpu(), at.cpu()] &= np.array(same)
        total = Nats(0.0, 0, 0.0, 0, 0)
        for row in range(len(texts)):
            places = np.flatnonzero(is_number[row].cpu().numpy())
            number_at = np.full(ids.shape[1], -1)
            for i, place in enumerate(places):
                number_at[place] = i
                if ids[row, place - 1] == self.space:  # a space that is part of the first digit elsewhere
                    number_at[place - 1] = i
            total = _add(total, nats[row], hit[row], mask[row].cpu().numpy(), number_at, len(places))
        return total


def _nats(logits: torch.Tensor, ids: torch.Tensor) -> tuple[Any, Any]:
    """Nats of every token but the first, and whether it is the most likely one; shape (rows, seq)."""
    log = logits[:, :-1].float().log_softmax(dim=-1)
    found = -log.gather(2, ids[:, 1:, None])[..., 0]
    nats, hit = np.zeros(ids.shape), np.ones(ids.shape, dtype=bool)
    nats[:, 1:] = found.cpu().numpy()
    hit[:, 1:] = (log.argmax(dim=-1) == ids[:, 1:]).cpu().numpy()
    return nats, hit


def _add(total: Nats, nats: Any, hit: Any, mask: Any, number_at: Any, count: int) -> Nats:
    """A row more. The first token, which nothing predicts, is text."""
    text = mask & (number_at < 0)
    right = sum(bool(hit[number_at == i].all()) for i in range(count))
    return Nats(
        total.text + float(nats[text].sum()),
        total.text_tokens + int(text.sum()) - 1,
        total.numbers + float(nats[mask & (number_at >= 0)].sum()),
        total.number_count + count,
        total.right + right,
    )


def build(arm: str, name: str, device: str) -> Digits | Fone:
    folder = FOLDER / "text_backbone" if name == "bundled/text_backbone" else name
    base = AutoModelForCausalLM.from_pretrained(folder, dtype="float32").to(device)
    tokenizer = AutoTokenizer.from_pretrained(folder)
    tokenizer.pad_token = tokenizer.pad_token or tokenizer.eos_token
    return (Fone if arm == "fone" else Digits)(base, tokenizer)


def run(given: argparse.Namespace, arm: str, rate: float, seed: int, *, test: bool) -> dict[str, Any]:
    """Train one arm; figures of test texts, or of validation texts."""
    torch.manual_seed(seed)
    wrapped = build(arm, given.model, given.device)
    optimiser = torch.optim.AdamW(wrapped.parameters(), lr=rate, weight_decay=0.01)
    rng = np.random.default_rng([1, seed])
    begun = time.process_time()
    for step in range(given.steps):
        for group in optimiser.param_groups:
            group["lr"] = rate * min((step + 1) / 20, 1.0) * (1 - step / given.steps)
        optimiser.zero_grad(set_to_none=True)
        wrapped.loss([story(rng) for _ in range(given.batch)]).backward()
        torch.nn.utils.clip_grad_norm_(wrapped.parameters(), 1.0)
        optimiser.step()
    seconds = time.process_time() - begun
    rng = np.random.default_rng([3 if test else 2, 0])
    texts = [story(rng) for _ in range(given.texts)]
    wrapped.model.eval()
    total = Nats(0.0, 0, 0.0, 0, 0)
    with torch.no_grad():
        for start in range(0, len(texts), 50):
            part = wrapped.measure(texts[start : start + 50])
            total = Nats(*(a + b for a, b in zip(asdict(total).values(), asdict(part).values(), strict=True)))
    return {"arm": arm, "rate": rate, "seed": seed, "cpu_seconds": seconds, **total.summary(len(texts))}


def main() -> None:
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--model", default="bundled/text_backbone", help="or a folder or hub id")
    parser.add_argument("--steps", type=int, default=200)
    parser.add_argument("--batch", type=int, default=8)
    parser.add_argument("--texts", type=int, default=400, help="validation texts, and as many test texts")
    parser.add_argument("--seeds", type=int, nargs="+", default=[0, 1, 2])
    parser.add_argument("--rates", type=float, nargs="+", default=RATES, help="a single one is not tuned")
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--out", type=Path, required=True)
    given = parser.parse_args()
    given.out.mkdir(parents=True, exist_ok=True)
    print("arm, seed: perplexity of text, nats a number, nats a text, numbers right, CPU seconds")
    for arm in ("fone", "digits"):
        rate = given.rates[0]
        if len(given.rates) > 1:
            tried = {r: _kept(given, arm, r, 1_000, test=False)["nats_per_text"] for r in given.rates}
            rate = min(tried, key=lambda r: tried[r])
        rows = [_kept(given, arm, rate, seed, test=True) for seed in given.seeds]
        for row in rows:
            print(
                f"{arm}, {row['seed']}: {row['perplexity_of_text']:.3f}, {row['nats_per_number']:.3f}, "
                f"{row['nats_per_text']:.2f}, {100 * row['numbers_right']:.1f} % of {row['numbers']}, "
                f"{row['cpu_seconds']:.0f}",
                flush=True,
            )
        print(f"{arm}: rate {rate:g} of {', '.join(f'{r:g}' for r in given.rates)}")


def _kept(given: argparse.Namespace, arm: str, rate: float, seed: int, *, test: bool) -> dict[str, Any]:
    """Of a run that has ended, what it gave."""
    path = given.out / f"{arm}-{rate:g}-{seed}.json"
    if path.is_file():
        found: dict[str, Any] = json.loads(path.read_text(encoding="utf-8"))
        return found
    found = run(given, arm, rate, seed, test=test)
    path.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
    return found


if __name__ == "__main__":
    main()

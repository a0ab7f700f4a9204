"""A program that trains a tiny model with numbers on sums: python train_sums.py OUT ROWS_PER_PROCESS

It knows nothing of processes: ``accelerate launch`` decides how many there are. Each writes its weights.
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

import transformers
from safetensors.torch import save_file

from conftest import build_llama, build_tokenizer
from modgap.fone import Codec, attach

# Every row has as many tokens and numbers as any other, so that the mean of the means of halves is the mean.
ROWS = [{"text": f"{a}+{b}=", "answer": str(a + b)} for a in range(4) for b in range(4)]


def main(out: Path, rows_per_process: int) -> None:
    transformers.set_seed(0)  # what attach adds begins at random
    tokenizer = build_tokenizer()
    model = attach(build_llama(len(tokenizer)), tokenizer, codec=Codec(6, 3))
    trainer = transformers.Trainer(
        model=model,
        args=transformers.TrainingArguments(
            output_dir=str(out),
            per_device_train_batch_size=rows_per_process,
            max_steps=6,
            learning_rate=0.1,
            optim="sgd",
            remove_unused_columns=False,
            save_strategy="no",
            report_to=[],
            disable_tqdm=True,
            use_cpu=True,
            dataloader_pin_memory=False,
        ),
        train_dataset=ROWS,
        data_collator=lambda batch: model.encode_text(
            [row["text"] for row in batch], [row["answer"] for row in batch]
        ),
    )
    trainer.train()
    weights = {name: value.detach().clone().contiguous() for name, value in model.named_parameters()}
    save_file(weights, out / f"process-{os.environ.get('RANK', '0')}.safetensors")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))

"""Makes Tests/Golden/text-*: tiny random CLIP text encoders with their hidden states and pooled outputs."""
import torch
from transformers import CLIPTextConfig, CLIPTextModel, CLIPTextModelWithProjection
from transformers.utils import logging

from common import folder, load_file, randomise, report, save, seeded, tidy_config

VOCAB, LENGTH, BOS, EOS = 120, 77, 118, 119
logging.disable_progress_bar()
SHARED = dict(vocab_size=VOCAB, num_hidden_layers=3, max_position_embeddings=LENGTH, bos_token_id=BOS)

# name: (class, configuration, prompt lengths, padding)
CASES = {
    "quick-gelu": (CLIPTextModel, dict(hidden_size=48, intermediate_size=96, num_attention_heads=4, hidden_act="quick_gelu",
                                       eos_token_id=EOS), (7, 75), EOS),
    "gelu": (CLIPTextModel, dict(hidden_size=40, intermediate_size=80, num_attention_heads=5, hidden_act="gelu",
                                 eos_token_id=EOS), (11,), EOS),
    "projection": (CLIPTextModelWithProjection, dict(hidden_size=32, intermediate_size=96, num_attention_heads=4, hidden_act="gelu",
                                                     projection_dim=20, eos_token_id=EOS), (4, 30), 0),
    "legacy-eos": (CLIPTextModel, dict(hidden_size=32, intermediate_size=64, num_attention_heads=2, hidden_act="quick_gelu",
                                       eos_token_id=2), (0, 23), EOS),
}


def prompts(lengths, padding, g):
    """Start, `length` random words, end, then padding up to 77."""
    ids = torch.full((len(lengths), LENGTH), padding)
    for row, n in zip(ids, lengths):
        row[0] = BOS
        row[1:n + 1] = torch.randint(3, BOS, (n,), generator=g)
        row[n + 1] = EOS
    return ids


def main():
    for seed, (name, (kind, config, lengths, padding)) in enumerate(CASES.items(), 200):
        model = randomise(kind(CLIPTextConfig(**SHARED, **config, pad_token_id=padding)), seed)
        ids = prompts(lengths, padding, seeded(seed + 1000))
        result = model(ids, output_hidden_states=True)
        text = getattr(model, "text_model", model)
        penultimate = result.hidden_states[-2]
        extra = {"text_embeds": result.text_embeds} if "text_embeds" in result else {}
        out = folder(f"text-{name}")
        model.save_pretrained(out)
        tidy_config(out / "config.json")
        save(out / "reference.safetensors", input_ids=ids, last_hidden_state=result.last_hidden_state, penultimate=penultimate,
             penultimate_normed=text.final_layer_norm(penultimate), pooled=text(ids).pooler_output, **extra)
        report(name, result.last_hidden_state)
        if name == "quick-gelu":
            old_keys(out)


def old_keys(out):
    """The same weights as old checkpoints name them: every key under `text_model.`, and the positions stored as well."""
    weights = load_file(out / "model.safetensors")
    assert not any(k.startswith("text_model.") for k in weights)
    weights = {f"text_model.{k}": v for k, v in weights.items()}
    weights["text_model.embeddings.position_ids"] = torch.arange(LENGTH)[None]
    save(out / "model-old-keys.safetensors", **weights)


if __name__ == "__main__":
    main()

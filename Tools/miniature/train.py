"""Trains the miniature: a text-conditioned diffusion model small enough to ship inside a repository.

    python train.py draw   DATA [--images 8000]             draw the training pictures, once
    python train.py train  DATA --minutes 90                train, or go on from DATA/state.pt
    python train.py train  DATA --minutes 90 --init MODEL   start from the weights of a model folder
    python train.py export DATA DEST                        write the float16 model folder

The folder has the usual layout of a diffusion model (unet/, text_encoder/, tokenizer/, scheduler/, model_index.json), so one
loader serves it and the large public checkpoints. It works on pixels: a 4×4 space-to-depth stands where an autoencoder would, so
[3, H, W] in −1…1 becomes [48, H/4, W/4]. The network predicts the clean sample under the linear schedule of 1000 steps.
"""
import argparse
import json
import math
import os
import time
from concurrent.futures import ProcessPoolExecutor
from dataclasses import dataclass
from pathlib import Path

import cv2
import numpy as np
import torch
import torch.nn.functional as F
from diffusers import UNet2DConditionModel
from transformers import CLIPTextConfig, CLIPTextModel

import scenes

# Length of a prompt in tokens: CLIP's own, so that loaders need no special case.
MAX_TOKENS = 77
# A limit that today's captions never reach: after 88 merges each of their words is one token.
MERGES_WANTED = 420
START, END = "<|startoftext|>", "<|endoftext|>"

UNSHUFFLE = 4
UNET = dict(
    sample_size=32, in_channels=3 * UNSHUFFLE**2, out_channels=3 * UNSHUFFLE**2,
    layers_per_block=2, block_out_channels=(64, 96, 160),
    down_block_types=("DownBlock2D", "DownBlock2D", "CrossAttnDownBlock2D"),
    up_block_types=("CrossAttnUpBlock2D", "UpBlock2D", "UpBlock2D"),
    cross_attention_dim=96, attention_head_dim=5, norm_num_groups=32)
TEXT = dict(
    hidden_size=96, intermediate_size=384, num_hidden_layers=2, num_attention_heads=4,
    max_position_embeddings=MAX_TOKENS, hidden_act="quick_gelu", projection_dim=96)

BETA_START, BETA_END, TIMESTEPS = 1e-4, 2e-2, 1000

# Min-SNR weighting. The cap keeps the nearly clean timesteps from ruling the loss; the floor keeps the noisiest ones, where the
# layout and the words are decided, from vanishing out of it.
SNR_CAP, SNR_FLOOR = 12.0, 0.15
# Share of crops whose caption is hidden, so that guidance has an unconditional estimate to lean on.
CAPTION_DROPOUT = 0.12

WARMUP_STEPS = 300
# The learning rate falls along a cosine to this share of its peak.
FINAL_RATE = 0.02
MAX_GRADIENT_NORM = 1.0
# The average of the weights is what is exported. It follows quickly at first, then over some 2,000 steps.
EMA_LIMIT = 0.9995
SAVE_EVERY_SECONDS = 300
REPORT_EVERY_STEPS = 25


# Part: pictures


def draw_part(job):
    """Draws `count` pictures, landscapes and leaves in turn. A part depends on its own seed only, not on the number of workers."""
    seed, count = job
    cv2.setNumThreads(1)
    rng = np.random.default_rng(1000 + seed)
    textures = scenes.Textures(rng)
    images, captions = np.empty((count, scenes.SIZE, scenes.SIZE, 3), np.uint8), []
    for i in range(count):
        images[i], caption = (scenes.landscape if i % 2 else scenes.leaves)(rng, textures)
        captions.append(caption)
    return images, captions


def draw(options):
    """Writes DATA/images.npy and DATA/captions.json."""
    options.data.mkdir(parents=True, exist_ok=True)
    jobs = [(seed, options.images // options.parts) for seed in range(options.parts)]
    with ProcessPoolExecutor(options.workers) as pool:
        parts = list(pool.map(draw_part, jobs))
    np.save(options.data / "images.npy", np.concatenate([images for images, _ in parts]))
    write_json(options.data / "captions.json", [caption for _, captions in parts for caption in captions])


# Part: tokenizer


def byte_alphabet():
    """The 256 printable characters that stand for bytes in the CLIP and GPT-2 tokenizers, in their order."""
    printable = [*range(33, 127), *range(161, 173), *range(174, 256)]
    others = [256 + n for n in range(256 - len(printable))]
    return [chr(code) for code in printable + others]


def split_words(text):
    return text.replace(",", " , ").split()


def letters(word):
    """A word's single letters; the last carries CLIP's end-of-word mark."""
    return [*word[:-1], word[-1] + "</w>"]


def join_pair(parts, pair):
    """`parts` with every occurrence of `pair`, from the left, joined into one."""
    joined, i = [], 0
    while i < len(parts):
        if i + 1 < len(parts) and (parts[i], parts[i + 1]) == pair:
            joined.append(parts[i] + parts[i + 1])
            i += 2
        else:
            joined.append(parts[i])
            i += 1
    return tuple(joined)


def learn_tokenizer(captions):
    """Byte-pair merges learnt from the captions: (vocabulary of token → id, merges in order), as CLIP's files hold them."""
    counts = {}
    for text in captions:
        for word in split_words(text):
            counts[word] = counts.get(word, 0) + 1
    split = {word: tuple(letters(word)) for word in counts}

    merges = []
    while len(merges) < MERGES_WANTED:
        pairs = {}
        for word, parts in split.items():
            for pair in zip(parts, parts[1:]):
                pairs[pair] = pairs.get(pair, 0) + counts[word]
        if not pairs:
            break
        best = max(pairs, key=lambda pair: (pairs[pair], pair))
        merges.append(best)
        split = {word: join_pair(parts, best) for word, parts in split.items()}

    alphabet = byte_alphabet()
    tokens = alphabet + [letter + "</w>" for letter in alphabet] + ["".join(pair) for pair in merges] + [START, END]
    return {token: i for i, token in enumerate(tokens)}, merges


def encode(captions, vocabulary, merges):
    """Token ids [captions, 77]: the start token, the words, then end tokens to the end of the row."""
    rank = {pair: i for i, pair in enumerate(merges)}
    unranked = len(merges)
    ids = np.full((len(captions), MAX_TOKENS), vocabulary[END], np.int64)
    for row, text in enumerate(captions):
        tokens = [vocabulary[START]]
        for word in split_words(text.lower()):
            parts = letters(word)
            while len(parts) > 1:
                pairs = list(zip(parts, parts[1:]))
                i = min(range(len(pairs)), key=lambda j: rank.get(pairs[j], unranked))
                if pairs[i] not in rank:
                    break
                parts[i:i + 2] = [parts[i] + parts[i + 1]]
            tokens += [vocabulary[part] for part in parts]
        ids[row, :min(len(tokens), MAX_TOKENS - 1)] = tokens[:MAX_TOKENS - 1]
    return torch.from_numpy(ids)


# Part: training


def build(vocabulary):
    """The two networks with fresh weights: (UNet, text encoder)."""
    # The text encoder is made first: that order is part of what seed 0 means.
    text = CLIPTextModel(CLIPTextConfig(
        vocab_size=len(vocabulary), bos_token_id=vocabulary[START], eos_token_id=vocabulary[END], pad_token_id=vocabulary[END], **TEXT))
    return UNet2DConditionModel(**UNET), text


def cumulative_alphas():
    """ᾱ for each of the 1000 timesteps."""
    betas = torch.linspace(BETA_START, BETA_END, TIMESTEPS, dtype=torch.float64)
    return torch.cumprod(1 - betas, 0).float()


def loss_weight(alpha):
    """The weight of a timestep's squared error, for its ᾱ."""
    return torch.clamp(alpha / (1 - alpha), max=SNR_CAP) + SNR_FLOOR


def learning_rate(peak, step, fraction):
    warmup = min(1, (step + 1) / WARMUP_STEPS)
    return peak * warmup * (FINAL_RATE + (1 - FINAL_RATE) * .5 * (1 + math.cos(math.pi * min(1, fraction))))


def crop_side(rng, fraction):
    """Small crops first, where a step is cheap and texture is learnt; larger ones later, for light and layout."""
    if fraction < .45:
        return 64
    if fraction < .8:
        return 96 if rng.random() < .5 else 64
    return 128 if rng.random() < .6 else 64


def draw_crops(rng, images, pick, side):
    """Random squares of the picked pictures, cut or reduced to `side`, half of them mirrored: uint8 [N, side, side, 3]."""
    crops = np.empty((len(pick), side, side, 3), np.uint8)
    whole = scenes.SIZE
    for j, k in enumerate(pick):
        cut = int(rng.choice([side, min(whole, side * 3 // 2), min(whole, side * 2), whole], p=[.4, .15, .2, .25]))
        y, x = rng.integers(0, whole + 1 - cut, 2)
        crop = images[k, y:y + cut, x:x + cut]
        if cut != side:
            crop = cv2.resize(np.ascontiguousarray(crop), (side, side), interpolation=cv2.INTER_AREA)
        crops[j] = crop[:, ::-1] if rng.random() < .5 else crop
    return crops


def to_sample(pixels):
    """uint8 [N, H, W, 3] to the model's space, [N, 48, H/4, W/4] in −1…1."""
    return F.pixel_unshuffle(pixels.permute(0, 3, 1, 2).float() / 127.5 - 1, UNSHUFFLE)


def spread_timesteps(count):
    """One random timestep in each of `count` equal parts of the schedule: less noise in the loss than free draws."""
    u = (torch.rand(count) + torch.arange(count)) / count
    return (u * TIMESTEPS).long().clamp(0, TIMESTEPS - 1)


@dataclass
class Progress:
    """How far training has come; `seconds` counts earlier runs only."""

    step: int = 0
    seen: int = 0
    seconds: float = 0.


class Trainer:
    """Networks, optimizer and running average, with their state file."""

    def __init__(self, options, vocabulary):
        self.options = options
        unet, text = build(vocabulary)
        self.unet = unet.to(options.device).to(memory_format=torch.channels_last)
        self.text = text.to(options.device)
        self.parameters = [*self.unet.parameters(), *self.text.parameters()]
        self.optimizer = torch.optim.AdamW(self.parameters, lr=options.lr, weight_decay=0.01, betas=(.9, .99))
        self.alphas = cumulative_alphas().to(options.device)
        self.progress = Progress()
        self.state_path = options.data / "state.pt"
        if self.state_path.exists():
            self.resume()
        else:
            if options.init:
                self.start_from(options.init, vocabulary)
            self.average = [p.detach().clone() for p in self.parameters]

    def start_from(self, folder, vocabulary):
        # The same words counted in other pictures can give the same tokens other ids, and nothing else would notice.
        if read_json(folder / "tokenizer" / "vocab.json") != vocabulary:
            raise SystemExit(f"Error: {folder} has another vocabulary than {self.options.data}/captions.json gives. "
                             "Draw the pictures that it was trained on, or train without --init.")
        self.unet.load_state_dict(UNet2DConditionModel.from_pretrained(folder / "unet").float().state_dict())
        self.text.load_state_dict(CLIPTextModel.from_pretrained(folder / "text_encoder").float().state_dict())

    def resume(self):
        state = torch.load(self.state_path, map_location=self.options.device, weights_only=True)
        self.unet.load_state_dict(state["unet"])
        self.text.load_state_dict(state["text"])
        self.optimizer.load_state_dict(state["opt"])
        self.average = state["ema"]
        self.progress = Progress(state["step"], state["seen"], state["spent"])
        print(f"going on from {self.state_path} at step {self.progress.step}", flush=True)

    def save(self, seconds):
        state = dict(
            unet=self.unet.state_dict(), text=self.text.state_dict(), opt=self.optimizer.state_dict(), ema=self.average,
            step=self.progress.step, seen=self.progress.seen, spent=self.progress.seconds + seconds)
        partial = self.state_path.with_suffix(".tmp")
        torch.save(state, partial)
        os.replace(partial, self.state_path)

    def loss(self, clean, token_ids):
        """Weighted squared error of the predicted clean sample, at timesteps spread over the whole schedule."""
        t = spread_timesteps(len(clean)).to(clean.device)
        alpha = self.alphas[t].view(-1, 1, 1, 1)
        noisy = alpha.sqrt() * clean + (1 - alpha).sqrt() * torch.randn_like(clean)
        with torch.autocast(self.options.device, torch.bfloat16):
            context = self.text(token_ids).last_hidden_state
            predicted = self.unet(noisy.to(memory_format=torch.channels_last), t, context).sample.float()
        return (loss_weight(alpha.flatten()) * (predicted - clean).pow(2).mean((1, 2, 3))).mean()

    def step(self, clean, token_ids, rate):
        """One step of the optimizer and of the average; returns the loss."""
        for group in self.optimizer.param_groups:
            group["lr"] = rate
        loss = self.loss(clean, token_ids)
        self.optimizer.zero_grad(set_to_none=True)
        loss.backward()
        torch.nn.utils.clip_grad_norm_(self.parameters, MAX_GRADIENT_NORM)
        self.optimizer.step()

        self.progress.step += 1
        self.progress.seen += len(clean)
        decay = min(EMA_LIMIT, (1 + self.progress.step) / (12 + self.progress.step))
        with torch.no_grad():
            torch._foreach_lerp_(self.average, [p.detach() for p in self.parameters], 1 - decay)
        return loss.item()


def train(options):
    """Trains for `minutes` and leaves DATA/state.pt, from which the next call goes on."""
    torch.manual_seed(0)
    if options.threads:
        torch.set_num_threads(options.threads)
    images = np.load(options.data / "images.npy", mmap_mode="r")
    captions = read_json(options.data / "captions.json")
    vocabulary, merges = learn_tokenizer(captions)
    token_ids = encode(captions, vocabulary, merges)
    no_caption = encode([""], vocabulary, merges)[0]
    trainer = Trainer(options, vocabulary)
    progress = trainer.progress
    print(f"{millions(trainer.unet)} M parameters in the UNet, {millions(trainer.text)} M in the text encoder", flush=True)

    rng = np.random.default_rng(progress.step + 5)
    budget = options.minutes * 60
    began = last_saved = time.time()
    running_loss = None
    while time.time() - began < budget:
        fraction = (progress.seconds + time.time() - began) / (progress.seconds + budget)
        rate = learning_rate(options.lr, progress.step, fraction)
        side = crop_side(rng, fraction)
        count = options.pixels // (side * side)
        pick = rng.integers(0, len(images), count)
        clean = to_sample(torch.from_numpy(draw_crops(rng, images, pick, side)).to(options.device))
        tokens = token_ids[torch.from_numpy(pick)].clone()
        tokens[torch.from_numpy(rng.random(count) < CAPTION_DROPOUT)] = no_caption
        loss = trainer.step(clean, tokens.to(options.device), rate)

        running_loss = loss if running_loss is None else .98 * running_loss + .02 * loss
        seconds = time.time() - began
        if progress.step % REPORT_EVERY_STEPS == 0:
            speed = progress.seen / (progress.seconds + seconds)
            print(f"step {progress.step} seen {progress.seen} loss {running_loss:.4f} lr {rate:.2e} {speed:.1f} samples/s {fraction:.1%}",
                  flush=True)
        if time.time() - last_saved > SAVE_EVERY_SECONDS:
            trainer.save(seconds)
            last_saved = time.time()
    trainer.save(time.time() - began)


def millions(network):
    return sum(p.numel() for p in network.parameters()) / 1e6


# Part: export


def export(options):
    """Writes the averaged weights in float16 with everything a loader needs, and nothing else."""
    vocabulary, merges = learn_tokenizer(read_json(options.data / "captions.json"))
    state = torch.load(options.data / "state.pt", map_location="cpu", weights_only=True)
    unet, text = build(vocabulary)
    unet.load_state_dict(state["unet"])
    text.load_state_dict(state["text"])
    for parameter, average in zip([*unet.parameters(), *text.parameters()], state["ema"]):
        parameter.data.copy_(average)

    unet.half().save_pretrained(options.dest / "unet")
    text.half().save_pretrained(options.dest / "text_encoder")
    export_tokenizer(options.dest / "tokenizer", vocabulary, merges)
    (options.dest / "scheduler").mkdir(parents=True, exist_ok=True)
    write_json(options.dest / "scheduler" / "scheduler_config.json", dict(
        _class_name="DDIMScheduler", beta_start=BETA_START, beta_end=BETA_END, beta_schedule="linear", num_train_timesteps=TIMESTEPS,
        prediction_type="sample", clip_sample=True, set_alpha_to_one=True, steps_offset=0), indent=1)
    write_json(options.dest / "model_index.json", dict(
        _class_name="VelaturaMiniature", codec=dict(kind="unshuffle", factor=UNSHUFFLE),
        steps_trained=state["step"], samples_seen=state["seen"]), indent=1)


def export_tokenizer(folder, vocabulary, merges):
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "vocab.json", vocabulary)
    lines = ["#version: 0.2"] + [" ".join(pair) for pair in merges]
    (folder / "merges.txt").write_text("\n".join(lines) + "\n", encoding="utf-8")


def read_json(path):
    return json.loads(path.read_text(encoding="utf-8"))


def write_json(path, value, indent=None):
    path.write_text(json.dumps(value, ensure_ascii=False, indent=indent), encoding="utf-8")


def parse(arguments=None):
    parser = argparse.ArgumentParser(description="Draw the training pictures, train the miniature model, export it.")
    verbs = parser.add_subparsers(required=True, metavar="VERB")

    verb = verbs.add_parser("draw", help="draw the training pictures and their captions")
    verb.set_defaults(run=draw)
    verb.add_argument("data", type=Path, metavar="DATA", help="folder for the pictures; training keeps its state there too")
    verb.add_argument("--images", type=int, default=8000)
    verb.add_argument("--parts", type=int, default=8, help="seeds that the pictures are shared among; part of what is drawn (default %(default)s)")
    verb.add_argument("--workers", type=int, default=2, help="processes; changes nothing but the time (default %(default)s)")

    verb = verbs.add_parser("train", help="train for some minutes, going on from DATA/state.pt where there is one")
    verb.set_defaults(run=train)
    verb.add_argument("data", type=Path, metavar="DATA")
    verb.add_argument("--minutes", type=float, default=90, help="the learning rate falls to its end over this time (default %(default)s)")
    verb.add_argument("--init", type=Path, metavar="MODEL", help="a model folder to start from; not used when DATA/state.pt exists")
    verb.add_argument("--device", default="cpu", help="cpu or cuda (default %(default)s)")
    verb.add_argument("--lr", type=float, default=6e-4, help="highest learning rate (default %(default)s)")
    verb.add_argument("--pixels", type=int, default=64 * 64 * 64, help="pixels in a batch, whatever its crops' size (default %(default)s)")
    verb.add_argument("--threads", type=int, help="threads for PyTorch on the CPU (default: its own choice)")

    verb = verbs.add_parser("export", help="write the averaged weights as a float16 model folder")
    verb.set_defaults(run=export)
    verb.add_argument("data", type=Path, metavar="DATA")
    verb.add_argument("dest", type=Path, metavar="DEST", help="model folder to write")
    return parser.parse_args(arguments)


def main():
    options = parse()
    options.run(options)


if __name__ == "__main__":
    main()

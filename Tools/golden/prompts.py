"""Makes Tests/Golden/prompts: the prompt language stated once more in Python (schedules by an Earley grammar), a table of worked
examples and odd prompts, what small text encoders make of them, and whole image-to-image runs under changing prompts."""
import json
import random
import re

import lark
import numpy as np
import torch
from diffusers import AutoencoderKL, DDIMScheduler, EulerDiscreteScheduler, UNet2DConditionModel
from PIL import Image
from safetensors.torch import load_file, save_file
from transformers import CLIPTextModel, CLIPTextModelWithProjection, CLIPTokenizer
from transformers.utils import logging

from common import GOLDEN, folder, report, save, seeded, write_json

logging.disable_progress_bar()
ROOM, BACKTRACK, CALLS = 75, 20, 10

# ---------------------------------------------------------------- the language


def tags_of(prompt):
    """The tags in angle brackets, and the prompt without them."""
    tag = re.compile(r"<(\w+):([^>]+)>")
    return [m.group(0) for m in tag.finditer(prompt)], tag.sub("", prompt)


def parts_of(prompt):
    """[text, weight] between ANDs."""
    parts = []
    for part in re.split(r"\bAND\b", prompt):
        m = re.fullmatch(r"(.*?)\s*:\s*([-+]?(?:\d+\.?|\d*\.\d+))\s*", part, re.S)
        parts.append([m.group(1).rstrip(), float(m.group(2))] if m else [part.rstrip(), 1.0])
    return parts


GRAMMAR = lark.Lark(r"""
    start: (part | stray)*
    stray.-9: /[\[\]():]/
    part.9: (words | round | square | change | choice)+
    round: "(" part? (":" part?)? ")"
    square: "[" part? "]"
    change: "[" (from ":")? to ":" BLANK? WHEN BLANK? "]"
    from: part?
    to: part?
    choice: "[" option ("|" option)+ "]"
    option: part?
    words: /(?:[^\\\[\]():|]|\\.)+/
    BLANK: /\s+/
    WHEN: /[-+]?(?:[0-9]+\.?[0-9]*|\.[0-9]+)(?:[eE][-+]?[0-9]+)?/
    """, keep_all_tokens=True, parser="earley", maybe_placeholders=False)


def schedule_of(text, calls):
    """[[last call, text]]; calls counted from 1."""
    try:
        tree = GRAMMAR.parse(text)
    except lark.exceptions.LarkError:
        return [[calls, text]]

    def when(node):
        number = next(str(c) for c in node.children if isinstance(c, lark.Token) and c.type == "WHEN")
        return min(calls, int(float(number) * calls if "." in number else float(number)))

    ends = {calls}
    for node in tree.iter_subtrees():
        if node.data == "change" and when(node) >= 1:
            ends.add(when(node))
        if node.data == "choice":
            ends |= set(range(1, calls + 1))

    def render(node, call):
        if isinstance(node, lark.Token):
            return str(node)
        if node.data == "change":
            wanted = "from" if call <= when(node) else "to"
            return "".join(render(c, call) for c in node.children if isinstance(c, lark.Tree) and c.data == wanted)
        if node.data == "choice":
            options = [c for c in node.children if isinstance(c, lark.Tree)]
            return render(options[(call - 1) % len(options)], call)
        return "".join(render(c, call) for c in node.children)

    return [[end, render(tree, end)] for end in sorted(ends)]


def weights_of(text):
    """[[text, weight]]: each piece of text remembers the brackets around it; a bracket's factor is known when it closes."""
    pieces, opened, closed = [], {"(": [], "[": []}, []

    def close(kind, factor):
        closed.append((opened[kind].pop(), len(pieces), factor))

    for m in re.finditer(r"\\[()\[\]\\]|\\|[(\[)\]]|:\s*[-+]?(?:\d+\.?\d*|\.\d+)\s*\)|[^\\()\[\]:]+|:", text):
        token = m.group(0)
        if token[0] == "\\":
            pieces.append([token[1:], 1.0])
        elif token in "([":
            opened[token].append(len(pieces))
        elif token == "]" and opened["["]:
            close("[", 1 / 1.1)
        elif token == ")" and opened["("]:
            close("(", 1.1)
        elif token[0] == ":" and len(token) > 1 and opened["("]:
            close("(", float(token[1:-1]))
        else:
            for i, words in enumerate(re.split(r"\s*\bBREAK\b\s*", token)):
                pieces += ([["BREAK", -1.0]] if i else []) + [[words, 1.0]]
    for kind, factor in (("(", 1.1), ("[", 1 / 1.1)):
        closed += [(begin, len(pieces), factor) for begin in opened[kind]]
    for begin, end, factor in closed:
        for piece in pieces[begin:end]:
            piece[1] *= factor
    merged = []
    for words, weight in pieces:
        if merged and merged[-1][1] == weight:
            merged[-1][0] += words
        else:
            merged.append([words, weight])
    return merged or [["", 1.0]]


def chunks_of(runs, tokenizer, embeddings=()):
    """Rows of [(token or (embedding, row), weight)] with at most ROOM each."""
    comma = tokenizer.get_vocab().get(",</w>")
    names = sorted(((tokenizer(n, add_special_tokens=False).input_ids, n, rows) for n, rows in embeddings), key=lambda e: -len(e[0]))
    done, row, last_comma = [], [], None
    for words, weight in runs:
        if (words, weight) == ("BREAK", -1):
            done.append(row)
            row, last_comma = [], None
            continue
        ids = tokenizer(words, add_special_tokens=False).input_ids
        while ids:
            if ids[0] == comma:
                last_comma = len(row)
            elif len(row) == ROOM and last_comma is not None and ROOM - last_comma <= BACKTRACK:
                done.append(row[:last_comma + 1])
                row, last_comma = row[last_comma + 1:], None
            if len(row) == ROOM:
                done.append(row)
                row, last_comma = [], None
            found = next((e for e in names if ids[:len(e[0])] == e[0]), None)
            if found:
                if len(row) + found[2] > ROOM:
                    done.append(row)
                    row, last_comma = [], None
                row += [((found[1], i), weight) for i in range(found[2])]
                ids = ids[len(found[0]):]
            else:
                row.append((ids.pop(0), weight))
    return done + ([row] if row or not done else [])


# ---------------------------------------------------------------- worked examples and odd prompts

# Known results of the web UI: a prompt and its schedule over ten calls ...
SCHEDULES = [
    ("test", [[10, "test"]]), ("a [b:3]", [[3, "a "], [10, "a b"]]), ("a [b: 3]", [[3, "a "], [10, "a b"]]),
    ("a [[[b]]:2]", [[2, "a "], [10, "a [[b]]"]]), ("[(a:2):3]", [[3, ""], [10, "(a:2)"]]),
    ("a [b : c : 1] d", [[1, "a b  d"], [10, "a  c  d"]]), ("a[b:[c:d:2]:1]e", [[1, "abe"], [2, "ace"], [10, "ade"]]),
    ("a [unbalanced", [[10, "a [unbalanced"]]), ("a [b:.5] c", [[5, "a  c"], [10, "a b c"]]),
    ("((a][:b:c [d:3]", [[3, "((a][:b:c "], [10, "((a][:b:c d"]]),
    ("[a|(b:1.1)]", [[i, "(b:1.1)" if i % 2 == 0 else "a"] for i in range(1, 11)]),
    ("[fe|]male", [[i, "male" if i % 2 == 0 else "female"] for i in range(1, 11)]),
    ("[fe|||]male", [[i, "female" if i % 4 == 1 else "male"] for i in range(1, 11)]),
]
# ... and its weights.
WEIGHTS = [
    ("normal text", [["normal text", 1.0]]), ("an (important) word", [["an ", 1.0], ["important", 1.1], [" word", 1.0]]),
    ("(unbalanced", [["unbalanced", 1.1]]), ("\\(literal\\]", [["(literal]", 1.0]]),
    ("(unnecessary)(parens)", [["unnecessaryparens", 1.1]]),
    ("a (((house:1.3)) [on] a (hill:0.5), sun, (((sky))).",
     [["a ", 1.0], ["house", 1.5730000000000004], [" ", 1.1], ["on", 1.0], [" a ", 1.1], ["hill", 0.55], [", sun, ", 1.1],
      ["sky", 1.4641000000000006], [".", 1.1]]),
]

WORDS = ("an old harbour at dusk boats with patched sails gulls wheeling overhead lanterns swinging on the quay wet stones mirroring "
         "the last violet light children chasing a spotted dog mountains dusted with snow").split()


def long(count, comma_every=0, begin=0):
    """That many tokens and more, with a comma now and then."""
    words = [WORDS[(begin + i) % len(WORDS)] + ("," if comma_every and i % comma_every == comma_every - 1 else "") for i in range(count)]
    return " ".join(words)


ODD = [
    "", " ", "\t\n", ",", ",,,,", ".", "a", "a lake at sunset", "(", ")", "[", "]", "()", "[]", "(())", "[[]]", "([)]", "[(])", ")(", "][",
    ":", "::", ":::", "a:b", "a : b", "a:", ":a", "a :1", "a:1.5", "a :-2 ", "a:.5", "a:5.", "a: +3", "a:1e3", "a:1.2.3", "a:--1", "16:9", "at 16:9, b",
    "(a:b)", "(a:1.2", "a:1.2)", "(a:1.2:3)", "(a: 1.2 )", "(a:-1)", "(a:+.5)", "(a:0)", "(a:1.)", "(a:1.2.3)", "(a:1e1)", "((a:2):2)", "((a)", "(a))",
    "[a:2)", "(a:2]", "[[a]]", "[(a)]", "([a])", "(((((a)))))", "[[[[[a]]]]]", "(a)(b:1.1)", "(a)[b](c:0.5)", "(a (b [c (d:2) e] f:0.5) g)",
    "\\(", "\\)", "\\[a\\]", "\\\\", "\\\\(a)", "\\a", "a\\", "a \\(b\\) (c\\):1.5)", "(a\\:1.2)", "\\(a:1.3\\)", "[a\\]:b:3]", "[a\\|b|c]", "a\\\nb [c:3]",
    "[a:b:0.5]", "[a:b:5]", "[a:0.5]", "[a::0.5]", "[:a:0.5]", "[::0.5]", "[:0.5]", "[a:b:0]", "[a:b:0.0]", "[a:b:-3]", "[a:b:99]", "[a:b:1.0]", "[a:b:1]",
    "[a:b:0.04]", "[a:b: .25 ]", "[a:b:2.]", "[a:b:+2]", "[a:b:1e0]", "[a:b:2e-1]", "[a:b:x]", "[a:b:]", "[a:b:c:3]", "[a:b:c:d]", "[a b:3", "a b:3]",
    "[[a:b:3]:c:6]", "[a:[b:c:6]:3]", "[[a:b:2]:[c:d:8]:5]", "([a:b:3]:1.4)", "[(a:1.2):(b:0.8):0.5]", "[[a|b]:c:4]", "[a|[b:c:5]]", "[[a|b]|[c|d]]",
    "[x:[a:b:c:3]:5]", "[(a:b:c):3]", "[(a:b):3]", "[a|b:3]", "[a:b|c]", "a|b", "|", "[|]", "[||]", "[a||b]", "(a|b)", "[(a|b)]", "[a|b] | c", "{a|b}", "[a|b",
    "[a:b:3]]", "[[a:b:3]", "[a (b:3]", "(a [b) c:3]", "[a:3:5]", "[a:3:5:7]", "a[b]c:[d:2]", "[\n a \n:\n b \n:\n 3 \n]", "[a:b:\u00a03]", "[é:ü:5]",
    "a AND b", "a AND b:0.5", "a:2 AND b :-1", "AND", "AND AND", " AND a", "a AND", "a ANDY b", "SAND b", "a AND_b", "a\nAND\nb", "a AND b AND c:.3", "and And AND",
    "[a AND b:3]", "(a AND b)", "ÄAND b", "a\u0301AND b",
    "BREAK", "BREAK BREAK", "a BREAK b", "a BREAK", "BREAK a", "aBREAK b", "a\nBREAK\nb", "a,BREAK,b", "(a BREAK b)", "(a BREAK b:1.5)", "[a BREAK b:3]", "break", "a BREAK (b)",
    "a BREAK BREAK b", "BREAK_ a", "(BREAK:1) a",
    "<lora:x:1>", "a <lora:x:0.5> b", "<lora:a><lora:b:1:2:3>", "<lora:>", "<lora>", "<:x>", "a < b > c", "<a:b", "<hypernet:h:0.3> (a", "<lora:x:1 AND b>", "<<lora:x>>",
    "<lora:x\n:1>", "<l-o:x>", "<é:x>",
    "😀", "(😀:1.3)", "👨‍👩‍👧 [👍🏽:👎:4]", "café (cafe\u0301:1.2)", "日本語 (猫:1.4)、犬", "ΟΔΟΣ (Σ)", "a\u00a0b\u3000(c)", "<|endoftext|>", "(<|endoftext|>:2) a", "a <|startoftext|> b",
    "\u202e(a)", "\ufeff[a:b:3]", "x" * 200, "(" * 30 + "a", "[" * 30 + "a" + "]" * 30, "a" + ")" * 20, "(a" * 12, "[a:" * 8 + "b" + ":3]" * 8, "1 2 3 (4:5) 6",
    long(74), long(75), long(76), long(80, 7), long(150), long(151), long(160, 9), long(300), long(300, 11), long(300, 31), "(" + long(90, 13) + ":1.2)",
    long(75) + ", a", long(74) + ", a", long(73) + ", a, b", long(54) + ", " + long(30), long(53) + ", " + long(30), long(55) + ", " + long(30), "," * 80,
    long(75) + " BREAK", long(75) + " BREAK a", long(76) + " BREAK " + long(76), "a BREAK " + long(80, 10), long(70) + " (" + long(10) + ":0.7) " + long(10), "(" + long(40) + ":0.5), (" + long(40) + ":1.5)",
]


def table(tokenizer):
    rows = []
    for text in [p for p, _ in SCHEDULES + WEIGHTS] + ODD:
        tags, rest = tags_of(text)
        parts = parts_of(rest)
        schedules = [schedule_of(part, CALLS) for part, _ in parts]
        distinct = list(dict.fromkeys(t for s in schedules for _, t in s))
        runs = weights_of(distinct[0])
        chunks = chunks_of(runs, tokenizer)
        rows.append(dict(
            text=text, tags=tags, parts=parts, schedules=schedules,
            weights=[[t, weights_of(t)] for t in distinct] if len(distinct[0]) < 200 else [],
            tokens=[[t for t, _ in c] for c in chunks], scales=[sorted({w for _, w in c}) for c in chunks]))
    return rows


def check_examples():
    for text, expected in SCHEDULES:
        assert schedule_of(text, 10) == expected, (text, schedule_of(text, 10))
    for text, expected in WEIGHTS:
        assert weights_of(text) == expected, (text, weights_of(text))
    long_one = ("fantasy landscape with a [mountain:lake:0.25] and [an oak:a christmas tree:0.75][ in foreground::0.6]"
                "[ in background:0.25] [shoddy:masterful:0.5]")
    assert [e for e, _ in schedule_of(long_one, 100)] == [25, 50, 60, 75, 100]
    assert schedule_of(long_one, 100)[2][1] == "fantasy landscape with a lake and an oak in foreground in background masterful"
    assert parts_of("a AND b :0.5") == [["a", 1.0], [" b", 0.5]]
    ODD.append(long_one)


# ---------------------------------------------------------------- text encoders


class Reader:
    """One text encoder with its tokenizer, as the web UI reads with it."""

    def __init__(self, path, suffix, kind, padding, layer, embeddings):
        self.tokenizer = CLIPTokenizer.from_pretrained(path / f"tokenizer{suffix}")
        self.model = kind.from_pretrained(path / f"text_encoder{suffix}").eval()
        self.padding, self.layer, self.embeddings = padding, layer, embeddings
        self.text = getattr(self.model, "text_model", self.model)
        self.table = self.text.embeddings.token_embedding

    def rows(self, text):
        return chunks_of(weights_of(text), self.tokenizer, [(n, len(v)) for n, v in self.embeddings.items()])

    def states(self, row):
        """Of one row: the chosen layer's states, and the projection where there is one."""
        begin, end = self.tokenizer.bos_token_id, self.tokenizer.eos_token_id
        ids = [begin] + [0 if isinstance(t, tuple) else t for t, _ in row] + [end]
        if self.padding != end:
            ids = ids[:ids.index(end) + 1]
        ids += [self.padding] * (ROOM + 2 - len(ids))

        def replaced(module, inputs, output):
            output = output.clone()
            for i, (token, _) in enumerate(row):
                if isinstance(token, tuple):
                    output[0, i + 1] = self.embeddings[token[0]][token[1]]
            return output

        hook = self.table.register_forward_hook(replaced)
        result = self.model(torch.tensor([ids]), output_hidden_states=True)
        hook.remove()
        if self.layer == "penultimate":
            z = result.hidden_states[-2]
        else:
            z = self.text.final_layer_norm(result.hidden_states[-self.layer])
        return z, result.get("text_embeds")

    def encode(self, texts):
        """All texts of a schedule as one batch."""
        rows = [self.rows(t) for t in texts]
        out, pooled = [], None
        for place in range(max(map(len, rows))):
            here = [r[place] if place < len(r) else [] for r in rows]
            states = [self.states(r) for r in here]
            z = torch.cat([s for s, _ in states])
            if place == 0 and states[0][1] is not None:
                pooled = torch.cat([p for _, p in states])
            scales = torch.tensor([[1.0] + [w for _, w in r] + [1.0] * (ROOM + 1 - len(r)) for r in here])
            if (scales != 1).any():
                before = z.double().mean()
                z = z * scales[..., None]
                z = z * (before / z.double().mean()).float()
            out.append(z)
        return torch.cat(out, 1), pooled


class Readers:
    def __init__(self, *readers):
        self.readers = readers

    def schedule(self, text, calls):
        entries = schedule_of(text, calls)
        read = [r.encode([t for _, t in entries]) for r in self.readers]
        length = max(z.shape[1] for z, _ in read)
        assert all(z.shape[1] == length for z, _ in read)
        return [e for e, _ in entries], torch.cat([z for z, _ in read], 2), read[-1][1]


def sd(embeddings=None, layer=1):
    path = GOLDEN / "img2img" / "model"
    return Readers(Reader(path, "", CLIPTextModel, 601, layer, embeddings or {}))


def sdxl(embeddings=None):
    path, embeddings = GOLDEN / "img2img-sdxl" / "model", embeddings or {}
    bang = CLIPTokenizer.from_pretrained(path / "tokenizer_2").pad_token_id
    return Readers(
        Reader(path, "", CLIPTextModel, 601, "penultimate", {n: v["clip_l"] for n, v in embeddings.items()}),
        Reader(path, "_2", CLIPTextModelWithProjection, bang, "penultimate", {n: v["clip_g"] for n, v in embeddings.items()}))


def make_embeddings(out):
    """Files in every form, and what they stand for in each model."""
    g = seeded(900)
    draw = lambda *shape: 0.6 * torch.randn(*shape, generator=g)
    wisp, mist, glow = draw(2, 32), draw(32), draw(5, 32).half()
    l, k = draw(3, 16), draw(3, 24)
    folder("prompts", "embeddings")
    save_file({"emb_params": wisp}, out / "wisp.safetensors")
    save_file({"<mist>": mist}, out / "mist-concept.safetensors")
    save_file({"string_to_param.*": glow, "string_to_token.*": torch.tensor(265)}, out / "Wisp Glow.safetensors")
    save_file({"emb_params": draw(1, 20)}, out / "narrow.safetensors")
    folder("prompts", "embeddings-sdxl")
    save_file({"clip_l": l, "clip_g": k}, out.parent / "embeddings-sdxl" / "wisp.safetensors")
    save_file({"emb_params": draw(9, 4), "step": torch.tensor([1.0])}, out.parent / "embeddings-sdxl" / "odd.safetensors")
    # The same as torch writes them: by the web UI, by the programs before it, and by diffusers.
    out = folder("prompts", "embeddings-torch")
    beside = dict(name="other", step=500, sd_checkpoint=None, sd_checkpoint_name=None)
    torch.save(dict(string_to_token={"*": 265}, string_to_param={"*": wisp}, **beside), out / "wisp.pt")
    old = dict(string_to_token={"*": torch.tensor(265)}, string_to_param=torch.nn.ParameterDict({"*": glow}))
    torch.save(old, out / "Wisp Glow.pt", _use_new_zipfile_serialization=False)
    torch.save({"<mist>": mist}, out / "mist-concept.bin")
    torch.save({"clip_l": l, "clip_g": k}, folder("prompts", "embeddings-torch", "sdxl") / "wisp.pt")
    return ({"wisp": wisp, "mist-concept": mist[None], "<mist>": mist[None], "Wisp Glow": glow.float()},
            {"wisp": {"clip_l": l, "clip_g": k}})


TEXTS = [
    "a painting of lake at sunset", "a (painting:1.3) of [lake] at ((sunset))", "(a:0) b", "(lake:-1.5) sea", long(100, 9), "(" + long(40) + ":0.5), " + long(60, 8),
    "[lake:sea:0.5] at (dawn:1.4)", "[" + long(90) + ":a (lake:2):3]", "[cat|(dog:1.5)|bird]", "sea BREAK (sky:1.2) BREAK", "(" + long(80, 6) + ":1.2)", "",
]
NAMED = ["a wisp over the lake", "a WISP, (wisp:1.4) wisp glow", "a (<mist>:0.7) and mist-concept", long(74) + " wisp", long(72) + ", a b wisp", "wisp glow " * 20]


def encoders(out, sd_embeddings, sdxl_embeddings):
    """Contexts of every text: cases.json says which, texts.safetensors holds every seventh token's values of each."""
    tensors, cases = {}, []
    for family, readers, texts, skip in (
            ("sd", sd(), TEXTS, None), ("sd", sd(layer=2), TEXTS[:3], 2), ("sd", sd(sd_embeddings), NAMED, None),
            ("sdxl", sdxl(), TEXTS, None), ("sdxl", sdxl(sdxl_embeddings), ["a (wisp:1.3) of lake", long(74) + " wisp"], None)):
        for text in texts:
            ends, context, pooled = readers.schedule(text, CALLS)
            name = f"{family}-{len(cases)}"
            tensors[name] = context[:, ::7]
            if pooled is not None:
                tensors[name + "-pooled"] = pooled
            cases.append(dict(name=name, family=family, text=text, ends=ends, skip=skip, tokens=context.shape[1],
                              embeddings=bool(readers.readers[0].embeddings)))
    save(out / "texts.safetensors", **tensors)
    write_json(out / "texts.json", cases, indent=0)


# ---------------------------------------------------------------- whole runs

RUNS = [
    dict(name="scheduled", family="sd", sampler="ddim", steps=10, skip=30, guidance=6, seed=71, clip_skip=None, embeddings=False,
         prompt="a (painting:1.3) of [lake:sea:3] at [sunset|dawn], ((stars)) [fog::0.4]", negative="(blur:1.2), [grey:0.2]"),
    dict(name="long", family="sd", sampler="euler", steps=8, skip=25, guidance=5, seed=72, clip_skip=2, embeddings=False,
         prompt=long(90, 8) + ", (lake:1.4)", negative="fog"),
    dict(name="parts", family="sd", sampler="euler", steps=8, skip=0, guidance=4, seed=73, clip_skip=None, embeddings=False,
         prompt="a lake AND " + long(80) + " :0.4 AND [sea:sky:4] :-0.3", negative=""),
    dict(name="one-to-one", family="sd", sampler="ddim", steps=6, skip=0, guidance=1, seed=74, clip_skip=None, embeddings=True,
         prompt="a wisp AND wisp glow of sea:0.7", negative="(fog)"),
    dict(name="sdxl", family="sdxl", sampler="euler", steps=8, skip=25, guidance=5, seed=75, clip_skip=None, embeddings=True,
         prompt="(a painting:1.2) of [lake:(wisp:1.5):0.5] AND sea:0.5", negative="fog, (clouds:1.3)"),
]


def run(case, embeddings, init):
    """An image-to-image run, call by call, every text by itself."""
    path = GOLDEN / ("img2img" if case["family"] == "sd" else "img2img-sdxl") / "model"
    vae, unet = AutoencoderKL.from_pretrained(path / "vae"), UNet2DConditionModel.from_pretrained(path / "unet")
    options = dict(num_train_timesteps=1000, beta_start=0.00085, beta_end=0.012, beta_schedule="scaled_linear", steps_offset=1)
    if case["sampler"] == "ddim":
        scheduler = DDIMScheduler(**options, set_alpha_to_one=False, clip_sample=False)
    else:
        scheduler = EulerDiscreteScheduler(**options, timestep_spacing="leading")
    named = embeddings if case["embeddings"] else {}
    readers = sd(named, case["clip_skip"] or 1) if case["family"] == "sd" else sdxl(named)
    parts = [(readers.schedule(text, case["steps"]), weight) for text, weight in parts_of(case["prompt"])]
    negative = readers.schedule(case["negative"], case["steps"])

    def at(schedule, call):
        ends, context, pooled = schedule
        place = next(i for i, end in enumerate(ends) if call <= end)
        return context[place:place + 1], None if pooled is None else pooled[place:place + 1]

    x = torch.from_numpy(np.asarray(init, np.float32)).permute(2, 0, 1)[None] / 127.5 - 1
    latents = vae.encode(x).latent_dist.mean * vae.config.scaling_factor
    size = torch.tensor([[init.height, init.width, 0, 0, init.height, init.width]], dtype=torch.float32)
    scheduler.set_timesteps(case["steps"])
    run = case["steps"] * (100 - case["skip"]) // 100
    times = scheduler.timesteps[-run:]
    if hasattr(scheduler, "set_begin_index"):
        scheduler.set_begin_index(case["steps"] - run)
    noise = torch.randn(latents.shape, generator=seeded(case["seed"]))
    latents = scheduler.add_noise(latents, noise, times[:1])
    for call, t in enumerate(times):
        scaled = scheduler.scale_model_input(latents, t)

        def ask(context, pooled):
            extra = dict(added_cond_kwargs=dict(text_embeds=pooled, time_ids=size)) if pooled is not None else {}
            return unet(scaled, t, encoder_hidden_states=context, **extra).sample

        told = [at(schedule, call) for schedule, _ in parts]
        longest = max(c.shape[1] for c, _ in told)
        told = [(torch.cat([c] + [c[:, -1:]] * (longest - c.shape[1]), 1), p) for c, p in told]
        away = ask(*at(negative, call))
        out = away + sum(case["guidance"] * weight * (ask(*t) - away) for t, (_, weight) in zip(told, parts))
        latents = scheduler.step(out, t, latents).prev_sample
    rgb = vae.decode(latents / vae.config.scaling_factor).sample
    report(case["name"], rgb)
    rgb = (rgb[0].permute(1, 2, 0) / 2 + 0.5).clamp(0, 1)
    return Image.fromarray((rgb.numpy() * 255).round().astype(np.uint8))


def main():
    out = folder("prompts")
    check_examples()
    rows = table(CLIPTokenizer.from_pretrained(GOLDEN / "tokenizer" / "clip"))
    (out / "table.json").write_text("[\n" + ",\n".join(json.dumps(r, ensure_ascii=True) for r in rows) + "\n]\n")
    print(len(rows), "prompts")
    sd_embeddings, sdxl_embeddings = make_embeddings(folder("prompts", "embeddings"))
    encoders(out, sd_embeddings, sdxl_embeddings)
    init = Image.open(GOLDEN / "img2img" / "init.png").convert("RGB")
    for case in RUNS:
        run(case, sd_embeddings if case["family"] == "sd" else sdxl_embeddings, init).save(out / f"{case['name']}.png")
    write_json(out / "runs.json", RUNS)


if __name__ == "__main__":
    main()

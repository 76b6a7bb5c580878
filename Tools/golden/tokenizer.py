"""Makes Tests/Golden/tokenizer: the CLIP vocabulary, the miniature's as tokenizer.json, 200 strings and their token ids."""
import gzip
import json
from pathlib import Path

import open_clip
from open_clip.tokenizer import bytes_to_unicode
from tokenizers import Tokenizer
from transformers import CLIPTokenizer

from common import MINIATURE, folder, write_json

MERGES = 49152 - 256 - 2

LONG = ("a sprawling panoramic oil painting of a quiet harbour at dusk, fishing boats with patched sails, gulls wheeling overhead, "
        "lanterns swinging on the quay, wet cobblestones mirroring the last violet light, an old woman mending nets beside a stack "
        "of crab pots, two children chasing a spotted dog, distant mountains dusted with snow, ")

STRINGS = [
    # ordinary prompts
    "a painting of lake at sunset", "a photograph of an astronaut riding a horse", "mountains at dawn, fog", "lake", "a", "I", "sun",
    "A cat wearing a hat", "an oil painting in the style of the old masters, dramatic lighting, 4k", "portrait of a woman, bokeh, f/1.4, 85mm",
    "leaves of red and green", "clouds over mountains at night, stars", "masterpiece, best quality, highly detailed, sharp focus",
    "a very very very very long road", "isometric low-poly render of a tiny village", "blue-green sea; white foam: waves",
    "the quick brown fox jumps over the lazy dog", "THE QUICK BROWN FOX JUMPS OVER THE LAZY DOG", "CamelCase and snake_case and kebab-case",
    "coffee cup on a wooden table", "lowres, bad anatomy, bad hands, text, error, missing fingers", "yes.",
    # empty and white space
    "", " ", "  ", "\t", "\n", "\r\n", " leading", "trailing ", "  two  spaces  ", "tab\tseparated\twords", "new\nline", "dos\r\nline",
    "form\ffeed", "vertical\vtab", "many \t\n mixed \r\n\t blanks", "no\u00a0break", "\u00a0", "en\u2002quad em\u2003quad", "thin\u2009hair\u200aspace",
    "figure\u2007space narrow\u202fspace", "ideographic\u3000space", "line\u2028separator para\u2029separator", "next\u0085line",
    "ogham\u1680space", "math\u205fspace", "mongolian\u180evowel separator",
    # punctuation
    "!", "...", "!!!", "?!?!", "wait... what?!", "a,b,c", "a , b , c", "(parentheses)", "[brackets] {braces}", "quote \"this\"", "dash - en \u2013 em \u2014",
    "\u201ccurly\u201d \u2018quotes\u2019", "ellipsis\u2026", "semi;colon:colon", "slash/back\\slash", "#hashtag @mention", "50% off & more", "a*b+c=d",
    "~tilde `backtick` ^caret |pipe|", "$5.99 \u20ac7 \u00a38 \u00a59", "((((nested))))", "-----", "=====>", "!'s", "@@##$$%%", "\u00bfqu\u00e9? \u00a1s\u00ed!", "\u00abguillemets\u00bb",
    # apostrophes
    "it's", "don't", "DON'T", "we're they've I'm he'll she'd", "WE'RE", "dogs' bowls", "'s", "'t 're 've 'm 'll 'd", "rock 'n' roll", "o'clock o'brien",
    "it\u2019s curly", "''", "'''s", "'sand 'tall 'read", "it 's", "y'all'd've",
    # digits
    "1", "42", "1234567890", "3.14159", "1,000,000", "4k 8K 16k", "2024-05-17", "mp3 h264 r2d2", "\u00bd cup", "x\u00b2 + y\u00b3", "\u2460\u2461\u2462", "\u0661\u0662\u0663",
    "\u2163 \u2172", "\uff11\uff12\uff13", "007",
    # accents, composed and decomposed
    "caf\u00e9", "cafe\u0301", "CAF\u00c9", "CAFE\u0301", "na\u00efve r\u00e9sum\u00e9", "nai\u0308ve re\u0301sume\u0301", "\u00c5ngstr\u00f6m", "\u212bngstro\u0308m", "A\u030a",
    "Ti\u1ebfng Vi\u1ec7t", "Tie\u0302\u0301ng Vie\u0323\u0302t", "q\u0307\u0323", "q\u0323\u0307", "z\u0334\u0301\u0342a\u0315l\u035dg\u0328o\u0322", "\u0301leading mark", "\ufb01ne \ufb02ow", "\uff21\uff22\uff23 wide",
    "\u01c4 \u01c5 \u01c6", "\u0132\u0133",
    # letters with special lower cases
    "Stra\u00dfe STRASSE \u1e9e", "\u0130stanbul", "I\u0307stanbul", "\u0131\u011fd\u0131r", "\u039f\u0394\u039f\u03a3 \u039f\u0394\u03a5\u03a3\u03a3\u0395\u03a5\u03a3", "\u03ba\u03b1\u03bb\u03b7\u03bc\u03ad\u03c1\u03b1 \u03ba\u03cc\u03c3\u03bc\u03b5", "\u1f08\u03b8\u1fc6\u03bd\u03b1\u03b9", "\u2126 \u212a",
    "\u041f\u0440\u0438\u0432\u0435\u0442, \u043c\u0438\u0440!", "\u0439 \u0438\u0306", "\u13a0\u13a1\u13a2 \uab70", "\u10a0\u10d0 \u1c90", "\U00010400\U00010428",
    # other scripts
    "\u4e00\u53ea\u732b\u5750\u5728\u6905\u5b50\u4e0a", "\u732b\u3068\u72ac\u3002", "\u304b\u3099 \u304c", "\u30ab\u30bf\u30ab\u30ca \uff76\uff80\uff76\uff85", "\uace0\uc591\uc774", "\u1100\u1161\u11a8", "\uf900 \u8c48",
    "\u0642\u0637\u0629 \u062c\u0645\u064a\u0644\u0629", "\u0645\u064f\u062d\u064e\u0645\u064e\u0651\u062f", "\u05d7\u05ea\u05d5\u05dc \u05e9\u05c1\u05b8\u05dc\u05d5\u05b9\u05dd", "\ufb2a", "\u0939\u093f\u0928\u094d\u0926\u0940 \u092c\u093f\u0932\u094d\u0932\u0940", "\u0958", "\u0e41\u0e21\u0e27\u0e19\u0e49\u0e33\u0e15\u0e01",
    "\u0baa\u0bc2\u0ba9\u0bc8", "\u12f5\u1218\u1275", "\U00013080\U00013081", "mixed\u732bscripts\u043a\u043e\u0442",
    # emoji
    "\U0001f600", "\U0001f468\u200d\U0001f469\u200d\U0001f467\u200d\U0001f466", "\U0001f44d\U0001f3fd", "\U0001f1eb\U0001f1f7\U0001f1ef\U0001f1f5", "\u2764\ufe0f \u2764", "cat\U0001f408cat \U0001f308!!", "1\ufe0f\u20e3",
    # control and invisible characters
    "zero\u200bwidth", "soft\u00adhyphen", "\ufeffbyte order mark", "left\u200eright\u200fmark", "join\u200der non\u200cjoiner", "nul\u0000char", "bell\u0007 esc\u001b[0m",
    "sep\u001c\u001d\u001e\u001fsep", "del\u007f c1\u0090", "\ufffd \ufffc", "\ue000 private", "\U0010fffd", "unassigned \u0378",
    # long things
    "pneumonoultramicroscopicsilicovolcanoconiosis", "a" * 100, "ha" * 60, "!?" * 40, "x" + "1" * 50, "\u732b" * 60, LONG * 4,
    # mark-up, addresses, special tokens
    "https://example.org/path?q=1&r=two#frag", "user.name+tag@example.org", "(word:1.3), [word], ((deep)) <lora:name:0.8>", "snake_case __dunder__ _",
    "<|endoftext|>", "<|startoftext|>", "cat <|endoftext|> dog", "cat<|endoftext|>dog", "<|STARTOFTEXT|> shout", "<|endoftext", "<|endoftext|><|endoftext|>", "< |endoftext|>",
    "&amp; &lt;b&gt; &#39;", "<b>bold</b>", "\u2211 \u222b \u221a2 \u2260 \u221e", "\U0001d400\U0001d401 \U0001d7d8", "cat</w> dog</w>",
]


def clip_vocabulary(out):
    """The standard CLIP vocabulary in vocab.json and merges.txt, from open_clip's copy of bpe_simple_vocab_16e6.txt.gz."""
    packed = Path(open_clip.__file__).with_name("bpe_simple_vocab_16e6.txt.gz")
    merges = gzip.decompress(packed.read_bytes()).decode("utf-8").split("\n")[1:MERGES + 1]
    letters = list(bytes_to_unicode().values())
    tokens = letters + [c + "</w>" for c in letters] + [m.replace(" ", "") for m in merges] + ["<|startoftext|>", "<|endoftext|>"]
    vocab = {token: i for i, token in enumerate(tokens)}
    assert (len(merges), len(vocab)) == (48894, 49408)
    write_json(out / "vocab.json", vocab, indent=None)
    (out / "merges.txt").write_text("\n".join(["#version: 0.2", *merges, ""]), encoding="utf-8")


def main():
    out = folder("tokenizer")
    clip_vocabulary(folder("tokenizer", "clip"))
    assert len(STRINGS) == 200 == len(set(STRINGS)), (len(STRINGS), len(set(STRINGS)))
    (out / "strings.json").write_text(json.dumps(STRINGS, indent=0) + "\n")
    for name, path in (("clip", out / "clip"), ("miniature", MINIATURE / "tokenizer")):
        tokenizer = CLIPTokenizer.from_pretrained(path)
        ids = [tokenizer(s, verbose=False).input_ids for s in STRINGS]
        (out / f"ids-{name}.json").write_text("[\n" + ",\n".join(map(json.dumps, ids)) + "\n]\n")

    fast = json.loads(tokenizer.backend_tokenizer.to_str())  # the miniature's
    for name, merge in (("miniature-fast-lists", list), ("miniature-fast", " ".join)):
        fast["model"]["merges"] = [merge(m) for m in fast["model"]["merges"]]
        file = folder("tokenizer", name) / "tokenizer.json"
        write_json(file, fast)
        again = Tokenizer.from_file(str(file))
        assert [again.encode(s).ids for s in STRINGS] == ids


if __name__ == "__main__":
    main()

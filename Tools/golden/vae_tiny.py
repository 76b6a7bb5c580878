"""Makes Tests/Golden/vae-tiny: a random AutoencoderTiny (TAESD's kind) as a folder and as the two files of its first form."""
import torch
from diffusers import AutoencoderTiny

from common import folder, randomise, report, save, save_weights, seeded


def main():
    tiny = randomise(AutoencoderTiny(encoder_block_out_channels=(8, 8, 8, 8), decoder_block_out_channels=(8, 8, 8, 8)), 310)
    tiny.decoder.layers[-1].weight *= 0.5
    g = seeded(1310)
    image, latent = torch.rand(1, 3, 40, 24, generator=g) * 2 - 1, torch.randn(2, 4, 5, 3, generator=g) * 2
    encoded, decoded = tiny.encode(image).latents, tiny.decode(latent).sample
    out = folder("vae-tiny")
    save_weights(tiny, out / "vae")
    save(out / "reference.safetensors", image=image, encoded=encoded, latent=latent, decoded=decoded)
    weights = tiny.state_dict()
    # The first form has no prefixes, and counts a layer without numbers at the decoder's beginning.
    save(out / "taesd_encoder.safetensors", **{k.removeprefix("encoder.layers."): v for k, v in weights.items() if k.startswith("encoder.")})
    decoder = {k.removeprefix("decoder.layers."): v for k, v in weights.items() if k.startswith("decoder.")}
    save(out / "taesd_decoder.safetensors", **{f"{int(k.split('.')[0]) + 1}.{k.split('.', 1)[1]}": v for k, v in decoder.items()})
    report("encoded", encoded)
    report("decoded", decoded)


if __name__ == "__main__":
    main()

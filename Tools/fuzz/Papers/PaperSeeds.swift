import Foundation

/// What the targets of this program begin with.
enum PaperSeeds {
    static func write(_ out: String, root: String) throws {
        let files = FileManager.default
        func keep(_ bytes: [UInt8], _ target: String, _ name: String) throws {
            let folder = "\(out)/\(target)"
            try files.createDirectory(atPath: folder, withIntermediateDirectories: true)
            try Data(bytes).write(to: URL(fileURLWithPath: "\(folder)/\(name)"))
        }
        let torch = "\(root)/Tests/Golden/torch"
        for name in try files.subpathsOfDirectory(atPath: torch) {
            guard let bytes = files.contents(atPath: "\(torch)/\(name)"), bytes.count <= 1 << 16 else { continue }
            try keep(Array(bytes), "weights", name.replacingOccurrences(of: "/", with: "-"))
        }
        // The names by which adapters, hypernetworks and whole models are known.
        let module = "lora_unet_mid_block_attentions_0_proj_in."
        let known: [[String: [Int]]] = [
            [module + "lora_down.weight": [1, 2], module + "lora_up.weight": [2, 1], module + "alpha": []],
            [
                module + "hada_w1_a": [2, 1], module + "hada_w1_b": [1, 2], module + "hada_w2_a": [2, 1],
                module + "hada_w2_b": [1, 2], module + "dora_scale": [2, 1],
            ],
            [
                "4.0.linear.0.weight": [8, 4], "4.0.linear.0.bias": [8], "4.0.linear.1.weight": [4, 8],
                "4.0.linear.1.bias": [4],
            ],
            [
                "model.diffusion_model.input_blocks.0.0.weight": [4, 4, 3, 3],
                "model.diffusion_model.input_blocks.1.1.transformer_blocks.0.attn2.to_k.weight": [4, 8],
                "model.diffusion_model.out.2.weight": [4, 4, 3, 3],
                "cond_stage_model.transformer.text_model.embeddings.token_embedding.weight": [4, 8],
                "first_stage_model.decoder.conv_in.weight": [4, 4, 3, 3],
            ],
        ]
        for (index, shapes) in known.enumerated() { try keep(safetensors(shapes), "weights", "known-\(index)") }
        let recipe = """
            {"velatura":"0.1","command":"refine","prompt":"a lake","negative":"fog","guidance":7.5,"skip":60,"steps":50,
            "seed":7,"sampler":"ddim","schedule":"model","size":[64,64],"loops":2,"source":{"name":"a.png","sha256":"00"},
            "model":{"name":"miniature","sha256":{"unet":"00"}},"loras":[{"name":"a","sha256":"00","weight":0.5}],
            "history":[{"command":"fit","multiple":64}],"mask":{"name":"m.png","sha256":"00","blur":4}}
            """
        let packet = """
            <x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF><rdf:Description rdf:about="" xmlns:velatura="urn:velatura:recipe#">\
            <velatura:recipe>{&quot;command&quot;:&quot;refine&quot;,&quot;prompt&quot;:&quot;a &amp;amp; b&quot;}\
            </velatura:recipe></rdf:Description></rdf:RDF></x:xmpmeta>
            """
        let papers: [(PapersTarget.Paper, String)] = [
            (.csv, "input,prompt,skip\na.png,\"a lake, \"\"wide\"\"\",40\r\nb.png,,60\n"),
            (
                .json,
                "[{\"input\": \"a.png\", \"prompt\": \"a \\u00e9 \\ud83d\\ude00\\n\", \"skip\": [40, 5e1], \"colour\": true}]"
            ),
            (
                .yaml,
                "- input: a.png\n  prompt: 'a lake, \"wide\"'\n  skip: [40, 50]\n- {input: b.png, prompt: ~, colour: true}\n"
            ),
            (.yaml, "- prompt: |\n    two\n    lines\n  input: \"a\\x41\\u263A.png\"\n- &a {b: !!str c}\n"),
            (.recipe, recipe), (.packet, packet),
            (
                .parameters,
                "a lake\nNegative prompt: fog\nSteps: 20, Sampler: Euler a, CFG scale: 7.5, Seed: 7, Size: 512x512, "
                    + "Denoising strength: 0.5, TI hashes: \"a: 00, b: \\\"c\\\"\", Model hash: 00"
            ),
            (
                .prompt,
                "a (red:1.3) [blue|green] ((very)) [sea:land:0.4] <lora:a:0.5> one AND two :0.7 \\(plain\\) BREAK end"
            ),
            (.prompt, "{a|b} [a:b:10] [[deep]:c:1.5] <hypernet:x> (nested (brackets:0.5):2)"),
        ]
        for (index, (paper, text)) in papers.enumerated() {
            try keep([paper.rawValue] + Array(text.utf8), "papers", "\(paper)-\(index)")
        }
    }

    /// Tensors of half-precision zeros.
    private static func safetensors(_ shapes: [String: [Int]]) -> [UInt8] {
        var (entries, end) = ([String](), 0)
        for (name, shape) in shapes.sorted(by: { $0.key < $1.key }) {
            let start = end
            end += shape.reduce(2, *)
            entries.append("\"\(name)\":{\"dtype\":\"F16\",\"shape\":\(shape),\"data_offsets\":[\(start),\(end)]}")
        }
        let header = Array("{\(entries.joined(separator: ","))}".utf8)
        return withUnsafeBytes(of: UInt64(header.count).littleEndian, Array.init) + header
            + [UInt8](repeating: 0, count: end)
    }
}

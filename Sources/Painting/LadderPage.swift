import Raster
import RasterFiles
import Threads

/// One page, with everything inside it, on which a source and its rungs are compared with a slider.
struct LadderPage {
    struct Entry {
        let label: String
        let detail: String
        let picture: Picture
    }

    let title: String
    let prompt: String
    /// The source first.
    let entries: [Entry]

    /// - Throws: ``PictureFileError`` when a preview cannot be encoded
    func html(threads: Threads) throws -> String {
        let pictures = try entries.map { try SliderPage.address(of: $0.picture, threads: threads) }
        let data = zip(entries, pictures).map { entry, address in
            JSONText.object([("label", .text(entry.label)), ("detail", .text(entry.detail)), ("src", .text(address))])
                .string
        }.joined(separator: ",\n")
        let size = entries.first?.picture.size ?? PixelSize(width: 1, height: 1)
        let words = prompt.isEmpty ? "" : "<p class=prompt>“\(SliderPage.escaped(prompt))”</p>"
        return """
            \(SliderPage.head(title: "\(title) – ladder", size: size))
            <style>
            .prompt{color:#b9b2a6;margin:.2em 0 1em}
            .sides{display:flex;justify-content:space-between;gap:12px;flex-wrap:wrap;margin:12px 0}
            .sides div{display:flex;gap:6px;flex-wrap:wrap}
            button{font:inherit;font-size:.85em;color:inherit;background:#2c2a28;border:1px solid #45413c;border-radius:4px;padding:3px 10px;cursor:pointer}
            button[aria-pressed=true]{background:#d9b36c;color:#1b1a19;border-color:#d9b36c}
            .told{display:flex;justify-content:space-between;color:#b9b2a6;font-size:.9em}
            </style>
            <h1>\(SliderPage.escaped(title))</h1>\(words)
            <div class=sides><div id=left></div><div id=right></div></div>
            \(SliderPage.view(#"<img id=under alt=""><img id=over alt="">"#))
            <div class=told><span id=toldleft></span><span id=toldright></span></div>
            <script>
            const entries=[\(data)];
            \(SliderPage.script)
            let chosen=[0,1];
            function show(){for(const [side,n] of [['left',0],['right',1]]){$(side).replaceChildren(...entries.map((e,i)=>{
            const b=document.createElement('button');b.textContent=e.label;b.setAttribute('aria-pressed',i===chosen[n]);
            b.onclick=()=>{chosen[n]=i;show()};return b}));$('told'+side).textContent=entries[chosen[n]].label+' · '+entries[chosen[n]].detail}
            $('over').src=entries[chosen[0]].src;$('under').src=entries[chosen[1]].src;move()}
            show();
            </script>

            """
    }
}

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

    /// Longest side of the pictures on the page.
    static let longest = 1600

    let title: String
    let prompt: String
    /// The source first.
    let entries: [Entry]

    /// - Throws: ``PictureFileError`` when a preview cannot be encoded
    func html(threads: Threads) throws -> String {
        let pictures = try entries.map { try Self.address(of: $0.picture, threads: threads) }
        let data = zip(entries, pictures).map { entry, address in
            JSONText.object([("label", .text(entry.label)), ("detail", .text(entry.detail)), ("src", .text(address))])
                .string
        }.joined(separator: ",\n")
        let size = entries.first?.picture.size ?? PixelSize(width: 1, height: 1)
        let words = prompt.isEmpty ? "" : "<p class=prompt>“\(Self.escaped(prompt))”</p>"
        return """
            <!doctype html>
            <html lang=en><meta charset=utf-8><meta name=viewport content="width=device-width">
            <title>\(Self.escaped(title)) – ladder</title>
            <style>
            :root{color-scheme:dark}
            body{margin:0 auto;padding:24px;max-width:1200px;background:#1b1a19;color:#e8e4dd;font:16px/1.5 Georgia,serif}
            h1{font-weight:normal;font-size:1.3em;margin:0}.prompt{color:#b9b2a6;margin:.2em 0 1em}
            .sides{display:flex;justify-content:space-between;gap:12px;flex-wrap:wrap;margin:12px 0}
            .sides div{display:flex;gap:6px;flex-wrap:wrap}
            button{font:inherit;font-size:.85em;color:inherit;background:#2c2a28;border:1px solid #45413c;border-radius:4px;padding:3px 10px;cursor:pointer}
            button[aria-pressed=true]{background:#d9b36c;color:#1b1a19;border-color:#d9b36c}
            .view{position:relative;aspect-ratio:\(size.width)/\(size.height);max-width:calc(85vh*\(size.width)/\(size.height));margin:auto;overflow:hidden;background:#000;cursor:ew-resize;touch-action:none;user-select:none}
            .view img{position:absolute;inset:0;width:100%;height:100%;object-fit:fill;pointer-events:none}
            .line{position:absolute;top:0;bottom:0;width:2px;margin-left:-1px;background:#fffa;pointer-events:none}
            input{width:100%;accent-color:#d9b36c}
            .told{display:flex;justify-content:space-between;color:#b9b2a6;font-size:.9em}
            </style>
            <h1>\(Self.escaped(title))</h1>\(words)
            <div class=sides><div id=left></div><div id=right></div></div>
            <div class=view id=view><img id=under alt=""><img id=over alt=""><div class=line id=line></div></div>
            <input id=slider type=range min=0 max=1000 value=500 aria-label="where the two pictures meet">
            <div class=told><span id=toldleft></span><span id=toldright></span></div>
            <script>
            const entries=[\(data)];
            const $=id=>document.getElementById(id);let chosen=[0,1];
            function show(){for(const [side,n] of [['left',0],['right',1]]){$(side).replaceChildren(...entries.map((e,i)=>{
            const b=document.createElement('button');b.textContent=e.label;b.setAttribute('aria-pressed',i===chosen[n]);
            b.onclick=()=>{chosen[n]=i;show()};return b}));$('told'+side).textContent=entries[chosen[n]].label+' · '+entries[chosen[n]].detail}
            $('over').src=entries[chosen[0]].src;$('under').src=entries[chosen[1]].src;move()}
            function move(){const p=$('slider').value/10;$('over').style.clipPath=`inset(0 ${100-p}% 0 0)`;$('line').style.left=p+'%'}
            $('slider').oninput=move;
            $('view').onpointerdown=e=>{$('view').setPointerCapture(e.pointerId);drag(e)};
            $('view').onpointermove=e=>{if(e.buttons)drag(e)};
            function drag(e){const r=$('view').getBoundingClientRect();$('slider').value=1000*(e.clientX-r.left)/r.width;move()}
            show();
            </script>

            """
    }

    /// A picture as an address that holds all of it.
    static func address(of picture: Picture, threads: Threads) throws -> String {
        var picture = picture.converted(depth: 8)
        picture.metadata = PictureMetadata()
        let longer = max(picture.width, picture.height)
        if longer > longest {
            func side(_ length: Int) -> Int { max(1, (length * longest + longer / 2) / longer) }
            picture = picture.resized(
                to: PixelSize(width: side(picture.width), height: side(picture.height)), threads: threads)
        }
        // Transparency needs PNG; everything else is a photograph to look at.
        let format: PictureFormat = picture.hasTransparency ? .png : .jpeg
        let bytes = try PictureFile.encode(picture, as: format, options: .init(quality: 92, threads: threads))
        return "data:\(format.mediaType);base64," + base64(bytes)
    }

    static func escaped(_ text: String) -> String {
        var result = ""
        for character in text {
            switch character {
            case "&": result += "&amp;"
            case "<": result += "&lt;"
            case ">": result += "&gt;"
            case "\"": result += "&quot;"
            default: result.append(character)
            }
        }
        return result
    }
}

/// RFC 4648, section 4.
func base64(_ bytes: [UInt8]) -> String {
    let letters = Array("ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/".utf8)
    var text: [UInt8] = []
    text.reserveCapacity((bytes.count + 2) / 3 * 4)
    for start in stride(from: 0, to: bytes.count, by: 3) {
        let (a, b, c) = (
            bytes[start], start + 1 < bytes.count ? bytes[start + 1] : 0, start + 2 < bytes.count ? bytes[start + 2] : 0
        )
        text.append(letters[Int(a >> 2)])
        text.append(letters[Int((a & 3) << 4 | b >> 4)])
        text.append(start + 1 < bytes.count ? letters[Int((b & 15) << 2 | c >> 6)] : UInt8(ascii: "="))
        text.append(start + 2 < bytes.count ? letters[Int(c & 63)] : UInt8(ascii: "="))
    }
    return String(decoding: text, as: UTF8.self)
}

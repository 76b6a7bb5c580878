import Raster
import RasterFiles
import Threads

/// What pages have in common on which two pictures lie over one another and a slider moves the line between them: everything
/// is inside the page, nothing is fetched.
enum SliderPage {
    /// Longest side of the pictures on a page.
    static let longest = 1600

    /// From the beginning to before what the page itself says.
    ///
    /// - Parameter size: whose proportions the pictures have
    static func head(title: String, size: PixelSize) -> String {
        """
        <!doctype html>
        <html lang=en><meta charset=utf-8><meta name=viewport content="width=device-width">
        <title>\(escaped(title))</title>
        <style>
        :root{color-scheme:dark}
        body{margin:0 auto;padding:24px;max-width:1200px;background:#1b1a19;color:#e8e4dd;font:16px/1.5 Georgia,serif}
        h1{font-weight:normal;font-size:1.3em;margin:0}
        .view{position:relative;aspect-ratio:\(size.width)/\(size.height);max-width:calc(85vh*\(size.width)/\(size.height));margin:12px auto;overflow:hidden;background:#000;cursor:ew-resize;touch-action:none;user-select:none}
        .view img,.view svg{position:absolute;inset:0;width:100%;height:100%;object-fit:fill;pointer-events:none}
        .line{position:absolute;top:0;bottom:0;width:2px;margin-left:-1px;background:#fffa;pointer-events:none}
        input[type=range]{width:100%;accent-color:#d9b36c}
        </style>
        """
    }

    /// Pictures over one another, of which `over` is shown left of the line, and the slider.
    static func view(_ pictures: String) -> String {
        """
        <div class=view id=view>\(pictures)<div class=line id=line></div></div>
        <input id=slider type=range min=0 max=1000 value=500 aria-label="where the two pictures meet">
        """
    }

    /// Moves the line; `move()` puts it where the slider is.
    static let script = """
        const $=id=>document.getElementById(id);
        function move(){const p=$('slider').value/10;$('over').style.clipPath=`inset(0 ${100-p}% 0 0)`;$('line').style.left=p+'%'}
        $('slider').oninput=move;
        $('view').onpointerdown=e=>{$('view').setPointerCapture(e.pointerId);drag(e)};
        $('view').onpointermove=e=>{if(e.buttons)drag(e)};
        function drag(e){const r=$('view').getBoundingClientRect();$('slider').value=1000*(e.clientX-r.left)/r.width;move()}
        """

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

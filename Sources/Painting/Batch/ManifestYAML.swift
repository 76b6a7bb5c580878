import YAMLShims

/// A list of flat mappings. Read by libyaml as a stream of events: nothing is built, and what could grow (an alias) or mean
/// something else (a tag) is refused. A scalar is the text that stands there, so that `no` is a word and `007` a seed.
package enum ManifestYAML {
    static func entries(_ text: String) throws(Manifest.Fault) -> [Manifest.Entry] {
        let reader = try Reader(text)
        defer { reader.close() }
        return try reader.entries()
    }

    /// What keeps YAML from being read, if anything does.
    package static func missing() -> String? {
        var message = [CChar](repeating: 0, count: 200)
        return yaml_available(&message, message.count) == 0 ? nil : words(message)
    }

    private static func words(_ message: [CChar]) -> String {
        String(decoding: message.prefix { $0 != 0 }.map(UInt8.init(bitPattern:)), as: UTF8.self)
    }

    private struct Item {
        var kind: yaml_item_kind
        var line: Int
        var text: String
        var isPlain: Bool
    }

    private struct Reader {
        private let bytes: UnsafeMutableBufferPointer<UInt8>
        private let reader: OpaquePointer

        init(_ text: String) throws(Manifest.Fault) {
            let utf8 = Array(text.utf8)
            bytes = .allocate(capacity: max(utf8.count, 1))
            _ = bytes.initialize(from: utf8)
            var message = [CChar](repeating: 0, count: 200)
            guard let reader = yaml_reader_open(bytes.baseAddress, utf8.count, &message, message.count) else {
                bytes.deallocate()
                throw .init(1, "YAML cannot be read: \(words(message)). Write JSON.")
            }
            self.reader = reader
        }

        func close() {
            yaml_reader_close(reader)
            bytes.deallocate()
        }

        private func next() throws(Manifest.Fault) -> Item {
            let item = yaml_reader_next(reader)
            let text = item.text.map {
                String(decoding: UnsafeRawBufferPointer(start: $0, count: item.length), as: UTF8.self)
            }
            let line = Int(item.line)
            if item.kind == YAML_ITEM_FAULT { throw .init(line, "This is no YAML: \(text ?? "").") }
            if item.kind == YAML_ITEM_ALIAS {
                throw .init(line, "An alias (*) stands for something else. Write that out.")
            }
            if item.is_marked != 0 { throw .init(line, "Anchors (&) and tags (!) are not read. Take it out.") }
            return Item(kind: item.kind, line: line, text: text ?? "", isPlain: item.is_plain != 0)
        }

        func entries() throws(Manifest.Fault) -> [Manifest.Entry] {
            var item = try next()
            if item.kind == YAML_ITEM_END { return [] }
            item = try next()
            guard item.kind == YAML_ITEM_LIST else {
                throw .init(item.line, "A list is expected. Begin each entry with \"- \".")
            }
            var entries: [Manifest.Entry] = []
            while true {
                item = try next()
                if item.kind == YAML_ITEM_LIST_END { break }
                guard item.kind == YAML_ITEM_MAP else {
                    throw .init(item.line, "An entry is expected, such as \"- input: photo.png\".")
                }
                entries.append(try entry(item.line))
                try Manifest.checkCount(entries.count, line: item.line)
            }
            item = try next()
            guard item.kind == YAML_ITEM_END else {
                throw .init(item.line, "A second document begins. Write one list.")
            }
            return entries
        }

        private func entry(_ line: Int) throws(Manifest.Fault) -> Manifest.Entry {
            var entry = Manifest.Entry(line: line)
            var names: Set<String> = []
            while true {
                let name = try next()
                if name.kind == YAML_ITEM_MAP_END { return entry }
                guard name.kind == YAML_ITEM_SCALAR else {
                    throw .init(name.line, "A name is expected before a colon.")
                }
                guard names.insert(name.text).inserted else {
                    throw .init(name.line, "\"\(name.text)\" is there twice. Take one out.")
                }
                entry.members.append(.init(name: name.text, value: try value(try next()), line: name.line))
            }
        }

        private func value(_ item: Item) throws(Manifest.Fault) -> Manifest.Value {
            switch item.kind {
            case YAML_ITEM_SCALAR:
                return item.isPlain && ["", "~", "null"].contains(item.text) ? .nothing : .text(item.text)
            case YAML_ITEM_LIST:
                var list: [String] = []
                while true {
                    let inner = try next()
                    if inner.kind == YAML_ITEM_LIST_END { return .list(list) }
                    guard inner.kind == YAML_ITEM_SCALAR else {
                        throw .init(inner.line, "A list inside an entry holds texts and numbers only.")
                    }
                    list.append(inner.text)
                }
            default:
                throw .init(item.line, "A mapping stands inside an entry. Write its values one by one.")
            }
        }
    }
}

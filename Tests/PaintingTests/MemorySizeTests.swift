import Painting
import Testing

@Suite struct MemorySizeTests {
    @Test(
        "sizes are read as people write them",
        arguments: [
            ("2.5GB", 2_500_000_000), ("2500MB", 2_500_000_000), ("4GiB", 4 << 30), ("512 mib", 512 << 20),
            ("3g", 3_000_000_000), ("1TB", 1_000_000_000_000), ("900kB", 900_000), ("1000b", 1000),
        ])
    func sizes(text: String, bytes: Int) { #expect(MemorySize.bytes(text) == bytes) }

    @Test(
        "what is no size is none",
        arguments: ["", "2.5", "GB", "-1GB", "1e3MB", "2,5GB", "two GB", "0MB", "9999999TB", ".5GB", "1..5GB", "nanMB"])
    func others(text: String) { #expect(MemorySize.bytes(text) == nil) }

    @Test("sizes are told so that the told amount is enough")
    func told() {
        #expect(MemorySize.text(411_200_001) == "412 MB" && MemorySize.text(12_310_000_000) == "12.4 GB")
    }
}

import Checkpoints
import Fuzzing
import Painting
import Raster

/// Texts from strangers: manifests of all forms, recipes, other programs' `parameters`, the language of prompts. The first
/// byte says which.
enum PapersTarget {
    enum Paper: UInt8, CaseIterable { case csv, json, yaml, recipe, packet, parameters, prompt }

    static func run(_ bytes: [UInt8]) -> Bool {
        guard let first = bytes.first, let paper = Paper(rawValue: first) else { return false }
        let body = Array(bytes.dropFirst())
        let text = String(decoding: body, as: UTF8.self)
        switch paper {
        case .csv, .json, .yaml:
            do throws(Manifest.Fault) {
                _ = try Manifest(body, named: "it.\(paper)")
            } catch {
                // As it is told.
                requireLine(RecipeWords.printable(reported(error.error(in: "it")).line))
                require(error.line >= 1 && error.line <= 1 + body.count, "line \(error.line)")
            }
        case .recipe: rerun(PictureMetadata(texts: [.init(keyword: "velatura", text: text)]))
        case .packet: rerun(PictureMetadata(xmp: body))
        case .parameters: rerun(PictureMetadata(texts: [.init(keyword: "parameters", text: text)]))
        case .prompt:
            _ = PromptTags(text)
            _ = PromptPart.parts(of: text)
            _ = PromptSchedule(text, calls: body.count % 3 * 10)
        }
        return true
    }

    /// What a picture says about how it was made, read as a past and as a command line.
    private static func rerun(_ metadata: PictureMetadata) {
        _ = Inheritance(metadata)
        _ = Recipe.hash(in: metadata)
        guard let recipe = Recipe.read(metadata) else { return }
        do throws(PaintingError) {
            _ = try RecipeArguments(recipe: recipe, picture: "it")
        } catch {
            requireLine(reported(error).line)
        }
    }
}

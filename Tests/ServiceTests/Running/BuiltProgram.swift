// Method: what the tests of the built program share.
import Foundation

/// The program as it was built beside the tests.
enum BuiltProgram {
    /// The program beside the test bundle.
    static let path: String? = {
        let bundles =
            Bundle.allBundles.map(\.bundleURL) + [
                URL(filePath: CommandLine.arguments[0]).deletingLastPathComponent()
            ]
        for bundle in bundles {
            for folder in [bundle, bundle.deletingLastPathComponent()] {
                let path = folder.appending(path: "tidewheel").path
                var isFolder: ObjCBool = false
                if FileManager.default.fileExists(atPath: path, isDirectory: &isFolder),
                    !isFolder.boolValue
                {
                    return path
                }
            }
        }
        return nil
    }()
}

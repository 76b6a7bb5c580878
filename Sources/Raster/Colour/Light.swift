#if canImport(Glibc)
    import Glibc
#elseif canImport(Musl)
    import Musl
#else
    import Darwin
#endif

// Between sRGB values and light. Source: IEC 61966-2-1. Values below 0 mirror those above, so that nothing is clipped.

package func linearLight(_ value: Float) -> Float {
    let a = abs(value)
    let light = a <= 0.04045 ? a / 12.92 : powf((a + 0.055) / 1.055, 2.4)
    return value < 0 ? -light : light
}

package func displayed(_ light: Float) -> Float {
    let a = abs(light)
    let value = a <= 0.0031308 ? a * 12.92 : 1.055 * powf(a, 1 / 2.4) - 0.055
    return light < 0 ? -value : value
}

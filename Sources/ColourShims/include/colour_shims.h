// What Swift asks of Little CMS: what a profile says of its curves and primaries, and transforms of rows of pixels through
// profiles that are tables. The library is opened when the first profile is met.
//
// Source: ICC.1:2022. Everything is relative colorimetric: white is white.
#ifndef VELATURA_COLOUR_SHIMS_H
#define VELATURA_COLOUR_SHIMS_H

#include <stddef.h>
#include <stdint.h>

/// 0 when the library can be used, else −1 with its name in `message`.
int colour_available(char *message, size_t capacity);
/// "2.14"
void colour_version(char *text, size_t capacity);

typedef enum { COLOUR_OTHER, COLOUR_GREY, COLOUR_RGB, COLOUR_CMYK } colour_kind;

typedef struct {
    colour_kind kind;
    /// Three curves and three primaries say all of it; else it is a table.
    int is_matrix;
    /// A table leads to its values too, and not only from them.
    int leads_back;
    /// What the profile calls itself, ASCII.
    char name[128];
} colour_facts;

typedef struct colour_profile colour_profile;
/// NULL when the bytes are no profile that can be read. The bytes are copied.
colour_profile *colour_open(const uint8_t *bytes, size_t count, colour_facts *facts);
void colour_close(colour_profile *profile);

/// Light, 0…1, of `count` values evenly from 0 to 1: of one channel of a profile of three curves, or of grey, whatever it is
/// made of. Returns 0, or −1 where there is none.
int colour_curve(colour_profile *profile, int channel, float *light, size_t count);

/// The primaries: what light of 1 in each channel is in XYZ under D50, row by row. Returns 0, or −1.
int colour_primaries(colour_profile *profile, double matrix[9]);

typedef struct colour_transform colour_transform;
/// Values of RGB to light of sRGB's primaries, three floats a pixel, unclipped. The profile may be closed after. NULL where
/// it says nothing of that.
colour_transform *colour_to_light(colour_profile *profile);
/// Amounts of ink, 8 or 16 bits, to sRGB of the same depth, black to black.
colour_transform *colour_from_inks(colour_profile *profile, int depth);
/// sRGB of 16 bits to amounts of ink of 16 bits, the same way back. NULL where the profile leads only from inks.
colour_transform *colour_to_inks(colour_profile *profile);
/// May be called from several threads at once.
void colour_apply(const colour_transform *transform, const void *source, void *target, size_t pixels);
void colour_free(colour_transform *transform);

/// The bytes of a profile of these primaries and white (x, y each; white first) and of one curve: `count` values of light
/// evenly from 0 to 1. Grey where `is_grey`. Returns how many, of which at most `capacity` are written; 0 when it cannot be made.
size_t colour_make(
    const double chromaticities[8], const float *light, size_t count, int is_grey, uint8_t *bytes, size_t capacity);

#endif

// Colour profiles by Little CMS 2.
#include "colour_shims.h"

#include <lcms2.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lazy_libraries.h"

#define COLOUR_FUNCTIONS(X)                                                                                          \
    X(cmsOpenProfileFromMem) X(cmsCloseProfile) X(cmsGetColorSpace) X(cmsGetPCS) X(cmsIsTag) X(cmsReadTag)           \
    X(cmsEvalToneCurveFloat) X(cmsIsMatrixShaper) X(cmsGetProfileInfoASCII) X(cmsCreateTransform) X(cmsDoTransform)  \
    X(cmsDeleteTransform) X(cmsCreateRGBProfile) X(cmsCreateGrayProfile) X(cmsBuildTabulatedToneCurveFloat)          \
    X(cmsBuildParametricToneCurve) X(cmsFreeToneCurve) X(cmsSaveProfileToMem) X(cmsCreateXYZProfile)                 \
    X(cmsCreate_sRGBProfile) X(cmsGetEncodedCMMversion)
LAZY_DECLARE(COLOUR_FUNCTIONS)

static const char *const names[] = {"liblcms2.so.2", "liblcms2.so", "liblcms2.2.dylib", "liblcms2.dylib",
                                    "/opt/homebrew/lib/liblcms2.dylib", "/usr/local/lib/liblcms2.dylib", NULL};
static const lazy_symbol symbols[] = {LAZY_TABLE(COLOUR_FUNCTIONS){0}};
static pthread_once_t opened = PTHREAD_ONCE_INIT;
static int missing;
static char missing_text[160];

static void open_library(void) { missing = lazy_open(names, symbols, missing_text, sizeof missing_text); }

int colour_available(char *message, size_t capacity) {
    pthread_once(&opened, open_library);
    if (missing) snprintf(message, capacity, "%s", missing_text);
    return missing;
}

void colour_version(char *text, size_t capacity) {
    int version = missing ? 0 : lazy_cmsGetEncodedCMMversion();
    snprintf(text, capacity, "%d.%d", version / 1000, version / 10 % 100);
}

struct colour_profile {
    cmsHPROFILE handle;
    colour_kind kind;
};

/// Whether the way to light is a table, which then goes before curves and primaries.
static int has_table(cmsHPROFILE profile) {
    static const cmsTagSignature tables[] = {cmsSigAToB0Tag, cmsSigAToB1Tag, cmsSigDToB0Tag, cmsSigDToB1Tag};
    for (size_t i = 0; i < sizeof tables / sizeof *tables; i++)
        if (lazy_cmsIsTag(profile, tables[i])) return 1;
    return 0;
}

colour_profile *colour_open(const uint8_t *bytes, size_t count, colour_facts *facts) {
    char ignored[160];
    if (colour_available(ignored, sizeof ignored) || count > UINT32_MAX) return NULL;
    cmsHPROFILE handle = lazy_cmsOpenProfileFromMem(bytes, (cmsUInt32Number)count);
    if (!handle) return NULL;
    colour_profile *self = calloc(1, sizeof *self);
    if (!self) {
        lazy_cmsCloseProfile(handle);
        return NULL;
    }
    self->handle = handle;
    switch ((uint32_t)lazy_cmsGetColorSpace(handle)) {
    case cmsSigGrayData: self->kind = COLOUR_GREY; break;
    case cmsSigRgbData: self->kind = COLOUR_RGB; break;
    case cmsSigCmykData: self->kind = COLOUR_CMYK; break;
    default: self->kind = COLOUR_OTHER;
    }
    *facts = (colour_facts){.kind = self->kind};
    facts->is_matrix = self->kind == COLOUR_RGB && lazy_cmsGetPCS(handle) == cmsSigXYZData
                       && lazy_cmsIsMatrixShaper(handle) && !has_table(handle);
    facts->leads_back = lazy_cmsIsTag(handle, cmsSigBToA0Tag) || lazy_cmsIsTag(handle, cmsSigBToA1Tag);
    lazy_cmsGetProfileInfoASCII(handle, cmsInfoDescription, "en", "US", facts->name, sizeof facts->name);
    return self;
}

void colour_close(colour_profile *self) {
    if (!self) return;
    lazy_cmsCloseProfile(self->handle);
    free(self);
}

static int grey_curve(colour_profile *self, float *light, size_t count) {
    cmsHPROFILE target = lazy_cmsCreateXYZProfile();
    if (!target) return -1;
    cmsHTRANSFORM transform = lazy_cmsCreateTransform(
        self->handle, TYPE_GRAY_FLT, target, TYPE_XYZ_FLT, INTENT_RELATIVE_COLORIMETRIC, cmsFLAGS_NOCACHE | cmsFLAGS_NOOPTIMIZE);
    lazy_cmsCloseProfile(target);
    if (!transform) return -1;
    for (size_t i = 0; i < count; i++) {
        float value = (float)i / (float)(count - 1), xyz[3];
        lazy_cmsDoTransform(transform, &value, xyz, 1);
        light[i] = xyz[1];
    }
    lazy_cmsDeleteTransform(transform);
    return 0;
}

int colour_curve(colour_profile *self, int channel, float *light, size_t count) {
    static const cmsTagSignature tags[] = {cmsSigRedTRCTag, cmsSigGreenTRCTag, cmsSigBlueTRCTag};
    if (self->kind == COLOUR_GREY) return grey_curve(self, light, count);
    if (self->kind != COLOUR_RGB || channel < 0 || channel > 2) return -1;
    const cmsToneCurve *curve = lazy_cmsReadTag(self->handle, tags[channel]);
    if (!curve) return -1;
    for (size_t i = 0; i < count; i++) light[i] = lazy_cmsEvalToneCurveFloat(curve, (float)i / (float)(count - 1));
    return 0;
}

int colour_primaries(colour_profile *self, double matrix[9]) {
    static const cmsTagSignature tags[] = {cmsSigRedColorantTag, cmsSigGreenColorantTag, cmsSigBlueColorantTag};
    for (int channel = 0; channel < 3; channel++) {
        const cmsCIEXYZ *colour = lazy_cmsReadTag(self->handle, tags[channel]);
        if (!colour) return -1;
        matrix[channel] = colour->X;
        matrix[3 + channel] = colour->Y;
        matrix[6 + channel] = colour->Z;
    }
    return 0;
}

/// sRGB's primaries with light as it is.
static cmsHPROFILE light_profile(void) {
    static const cmsCIExyY white = {0.3127, 0.3290, 1};
    static const cmsCIExyYTRIPLE primaries = {{0.64, 0.33, 1}, {0.30, 0.60, 1}, {0.15, 0.06, 1}};
    cmsFloat64Number gamma = 1;
    cmsToneCurve *curve = lazy_cmsBuildParametricToneCurve(NULL, 1, &gamma);
    if (!curve) return NULL;
    cmsToneCurve *curves[3] = {curve, curve, curve};
    cmsHPROFILE profile = lazy_cmsCreateRGBProfile(&white, &primaries, curves);
    lazy_cmsFreeToneCurve(curve);
    return profile;
}

colour_transform *colour_to_light(colour_profile *self) {
    cmsHPROFILE light = light_profile();
    if (!light) return NULL;
    cmsHTRANSFORM transform = lazy_cmsCreateTransform(
        self->handle, TYPE_RGB_FLT, light, TYPE_RGB_FLT, INTENT_RELATIVE_COLORIMETRIC, cmsFLAGS_NOCACHE);
    lazy_cmsCloseProfile(light);
    return transform;
}

colour_transform *colour_from_inks(colour_profile *self, int depth) {
    cmsHPROFILE target = lazy_cmsCreate_sRGBProfile();
    if (!target) return NULL;
    cmsHTRANSFORM transform = lazy_cmsCreateTransform(
        self->handle, depth == 16 ? TYPE_CMYK_16 : TYPE_CMYK_8, target, depth == 16 ? TYPE_RGB_16 : TYPE_RGB_8,
        INTENT_RELATIVE_COLORIMETRIC, cmsFLAGS_NOCACHE | cmsFLAGS_BLACKPOINTCOMPENSATION);
    lazy_cmsCloseProfile(target);
    return transform;
}

colour_transform *colour_to_inks(colour_profile *self) {
    cmsHPROFILE source = lazy_cmsCreate_sRGBProfile();
    if (!source) return NULL;
    cmsHTRANSFORM transform = lazy_cmsCreateTransform(
        source, TYPE_RGB_16, self->handle, TYPE_CMYK_16, INTENT_RELATIVE_COLORIMETRIC,
        cmsFLAGS_NOCACHE | cmsFLAGS_BLACKPOINTCOMPENSATION);
    lazy_cmsCloseProfile(source);
    return transform;
}

void colour_apply(const colour_transform *transform, const void *source, void *target, size_t pixels) {
    lazy_cmsDoTransform((cmsHTRANSFORM)transform, source, target, (cmsUInt32Number)pixels);
}

void colour_free(colour_transform *transform) {
    if (transform) lazy_cmsDeleteTransform(transform);
}

size_t colour_make(
    const double c[8], const float *light, size_t count, int is_grey, uint8_t *bytes, size_t capacity) {
    char ignored[160];
    if (colour_available(ignored, sizeof ignored)) return 0;
    cmsToneCurve *curve = lazy_cmsBuildTabulatedToneCurveFloat(NULL, (cmsUInt32Number)count, light);
    if (!curve) return 0;
    cmsCIExyY white = {c[0], c[1], 1};
    cmsCIExyYTRIPLE primaries = {{c[2], c[3], 1}, {c[4], c[5], 1}, {c[6], c[7], 1}};
    cmsToneCurve *curves[3] = {curve, curve, curve};
    // A grey profile's white is the connection space's.
    cmsCIExyY d50 = {0.3457, 0.3585, 1};
    cmsHPROFILE profile =
        is_grey ? lazy_cmsCreateGrayProfile(&d50, curve) : lazy_cmsCreateRGBProfile(&white, &primaries, curves);
    lazy_cmsFreeToneCurve(curve);
    if (!profile) return 0;
    cmsUInt32Number needed = 0;
    if (!lazy_cmsSaveProfileToMem(profile, NULL, &needed)) needed = 0;
    if (needed && needed <= capacity) {
        if (!lazy_cmsSaveProfileToMem(profile, bytes, &needed)) needed = 0;
        // The day and the system of its making would make each file another one.
        static const uint8_t day[12] = {0x07, 0xE8, 0, 1, 0, 1};
        memcpy(bytes + 24, day, sizeof day);
        memset(bytes + 40, 0, 4);
    }
    lazy_cmsCloseProfile(profile);
    return needed;
}

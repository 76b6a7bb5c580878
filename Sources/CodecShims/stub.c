int codec_stub;

int miniature_stub;

//! Who may register: a token, a hint and a time in, a registration or a refusal out (FORMATS 6).

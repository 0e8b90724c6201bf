//! Specs guessed from small files whose content is known.

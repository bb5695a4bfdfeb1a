/** The languages of the pages. */
export const LANGUAGES = ["en", "ja"];

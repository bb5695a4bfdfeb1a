//! The sentence that belongs to a code, in the language of the caller.
//!
//! Clients are meant to go by the code: the sentences differ from the service's own, and Japanese users get
//! Japanese ones, so that a client that goes by the sentence is caught.

use crate::model::Locale;

/// Code, English sentence, Japanese sentence.
const MESSAGES: [(&str, &str, &str); 47] = [
    ("CB_AU01", "Please log in.", "ログインしてください。"),
    ("CB_WA01", "The login name or the password is wrong.", "ログイン名またはパスワードが正しくありません。"),
    (
        "CB_TW02",
        "Password authentication is not possible for users of two-factor authentication.",
        "2要素認証のユーザーはパスワード認証を利用できません。",
    ),
    (
        "CB_US02",
        "The account is locked. Ask the administrator to unlock it.",
        "アカウントがロックされています。管理者に解除を依頼してください。",
    ),
    (
        "CB_PE01",
        "The password has expired. Change it.",
        "パスワードの有効期限が切れています。変更してください。",
    ),
    ("SLASH_PA02", "The password has to be changed first.", "最初にパスワードを変更してください。"),
    (
        "CB_OA01",
        "The resource cannot be accessed with this access token.",
        "このアクセストークンではリソースにアクセスできません。",
    ),
    ("CB_NO02", "No privilege to proceed.", "権限がありません。"),
    ("CB_IL02", "Illegal request.", "不正なリクエストです。"),
    ("CB_IJ01", "The JSON text is not valid.", "JSON文字列が不正です。"),
    ("CB_VA01", "Missing or invalid input.", "入力内容が正しくありません。"),
    ("CB_TOO_LARGE", "The request is too large.", "リクエストが大きすぎます。"),
    (
        "GAIA_IA02",
        "The specified API token does not match the API token generated via the app.",
        "指定したAPIトークンは、アプリで生成したAPIトークンと一致しません。",
    ),
    (
        "GAIA_NO01",
        "The API token does not permit this operation.",
        "このAPIトークンでは、指定した操作を実行できません。",
    ),
    (
        "GAIA_DA03",
        "Two API tokens of the same app are specified.",
        "同じアプリのAPIトークンが重複しています。",
    ),
    (
        "GAIA_AP01",
        "The app is not found. It may have been deleted.",
        "指定したアプリが見つかりません。削除されている可能性があります。",
    ),
    (
        "GAIA_IL23",
        "The app belongs to a guest space. Send the request to the path of the guest space.",
        "ゲストスペース内のアプリです。ゲストスペースのパスに送信してください。",
    ),
    ("GAIA_RE01", "The record is not found.", "指定したレコードが見つかりません。"),
    ("GAIA_RE02", "The comment is not found.", "指定したコメントが見つかりません。"),
    (
        "GAIA_RE20",
        "No record has this value in the field of the update key.",
        "更新キーに一致するレコードが見つかりません。",
    ),
    (
        "GAIA_BL01",
        "The file is not found. It may have expired.",
        "指定したファイルが見つかりません。期限切れの可能性があります。",
    ),
    (
        "GAIA_CN01",
        "The cursor is not found. It may have expired.",
        "指定したカーソルが見つかりません。期限切れの可能性があります。",
    ),
    ("GAIA_TM12", "The number of cursors reached the limit.", "カーソルの数が上限に達しています。"),
    (
        "GAIA_TO04",
        "The number of concurrent requests reached the limit.",
        "同時リクエスト数が上限に達しています。",
    ),
    (
        "GAIA_CO02",
        "The record was changed in the meantime. Read it again.",
        "ほかのユーザーがレコードを更新しています。",
    ),
    (
        "GAIA_CO03",
        "The settings were changed in the meantime. Read them again.",
        "ほかのユーザーが設定を更新しています。",
    ),
    (
        "GAIA_DA02",
        "The database is locked. Try again.",
        "データベースがロックされています。もう一度お試しください。",
    ),
    ("GAIA_QU01", "limit must be 500 or less.", "limitには500以下を指定してください。"),
    ("GAIA_QU02", "offset must be 10,000 or less.", "offsetには10,000以下を指定してください。"),
    (
        "GAIA_IQ03",
        "The operator cannot be used with this field.",
        "このフィールドには指定した演算子を使用できません。",
    ),
    (
        "GAIA_IQ07",
        "Use in or not in for a field within a table.",
        "テーブル内のフィールドには in または not in を使用してください。",
    ),
    ("GAIA_IQ10", "The field has no such option.", "指定した選択肢はありません。"),
    ("GAIA_IQ11", "The field code is not found.", "指定したフィールドが見つかりません。"),
    ("GAIA_IQ23", "The argument of the function is not valid.", "関数の引数が正しくありません。"),
    (
        "GAIA_IR02",
        "The field of the related records cannot be searched.",
        "関連レコードのフィールドは検索できません。",
    ),
    (
        "GAIA_IL03",
        "The status was changed in the meantime, or the action is not offered in it.",
        "ステータスが変更されているか、アクションを実行できません。",
    ),
    ("GAIA_IL26", "The user is not found.", "指定したユーザーが見つかりません。"),
    ("GAIA_IL28", "The organization or group is not found.", "指定した組織またはグループが見つかりません。"),
    ("GAIA_ST02", "Process management is not enabled.", "プロセス管理が有効になっていません。"),
    ("GAIA_NT01", "Only the assignee may do this.", "作業者だけが実行できます。"),
    (
        "GAIA_LO03",
        "The key field of the lookup does not prohibit duplicates.",
        "ルックアップのキーが重複禁止ではありません。",
    ),
    (
        "GAIA_LO04",
        "The lookup found no record with this key.",
        "ルックアップの参照先に該当するレコードがありません。",
    ),
    ("GAIA_SP01", "The space is not found.", "指定したスペースが見つかりません。"),
    (
        "GAIA_FC01",
        "The field code of the settings is not found.",
        "設定で指定したフィールドコードが見つかりません。",
    ),
    ("CB_JH01", "The header X-Requested-With is missing.", "X-Requested-Withヘッダーがありません。"),
    (
        "CB_CS01",
        "The page has expired. Open it again.",
        "ページの有効期限が切れています。再度ページを表示してください。",
    ),
    (
        "SLASH_IL06",
        "The client certificate belongs to another user.",
        "クライアント証明書のユーザーとログインするユーザーが異なります。",
    ),
];

/// The sentence of this code; the one for illegal requests when there is none.
pub(crate) fn message(code: &str, locale: Locale) -> &'static str {
    let (_, english, japanese) =
        MESSAGES.iter().find(|(known, _, _)| *known == code).unwrap_or(&MESSAGES[ILLEGAL_REQUEST]);
    match locale {
        Locale::En => english,
        Locale::Ja => japanese,
    }
}

/// Position of `CB_IL02`.
const ILLEGAL_REQUEST: usize = 8;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sentences_follow_the_language() {
        assert_eq!(message("CB_AU01", Locale::Ja), "ログインしてください。");
        assert_eq!(message("NO_SUCH_CODE", Locale::En), "Illegal request.");
        assert_eq!(MESSAGES[ILLEGAL_REQUEST].0, "CB_IL02");
    }
}

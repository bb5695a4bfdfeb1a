//! What the pages say, in English and Japanese.

use tombolo_platform::Problem;
use tombolo_platform::catalog::{Language, Provider};
use tombolo_platform::oauth::{CallbackOutcome, LinkAbout};

/// Title, paragraphs and button before a person goes to the vendor.
pub(super) fn question(about: &LinkAbout, language: Language) -> (String, Vec<String>, &'static str) {
    let LinkAbout { name, provider, end_user, is_confirmed_later } = about;
    let user = end_user.as_ref();
    let user = user.map(|user| user.display_name.as_ref().or(user.email.as_ref()).unwrap_or(&user.id));
    let provider = &provider.name;
    match language {
        Language::En => {
            let mut paragraphs = vec![
                format!("Whoever sent you this link wants to use your account of {} as “{name}”.", provider.en),
                "Go on only if you know them and expected the link. You choose on the next page what they may do."
                    .to_owned(),
            ];
            paragraphs.extend(user.map(|user| format!("The account is linked for {user}.")));
            if !is_confirmed_later {
                paragraphs.push(
                    "Nobody checks afterwards whose account it was: what is done with it there is done in your name."
                        .to_owned(),
                );
            }
            (format!("Connect your account of {}", provider.en), paragraphs, "Go on")
        }
        Language::Ja => {
            let mut paragraphs = vec![
                format!("リンクの送り主が、あなたの{}のアカウントを「{name}」として利用しようとしています。", provider.ja),
                "送り主を知っていて、このリンクに心当たりがある場合だけ進んでください。許可する内容は次の画面で確認できます。"
                    .to_owned(),
            ];
            paragraphs.extend(user.map(|user| format!("接続先の利用者: {user}")));
            if !is_confirmed_later {
                paragraphs.push(
                    "接続後に本人確認は行われません。接続先での操作は、あなたの名義で行われます。".to_owned(),
                );
            }
            (format!("{}のアカウントを接続", provider.ja), paragraphs, "次へ進む")
        }
    }
}

/// Title and paragraphs for a connection whose credentials are typed by whoever administers it.
pub(super) fn by_hand(name: &str, provider: &Provider, language: Language) -> (String, Vec<String>) {
    let provider = &provider.name;
    match language {
        Language::En => (
            format!("“{name}” needs new credentials"),
            vec![
                format!("The connection “{name}” to {} is not mended with a browser.", provider.en),
                "Whoever administers it types the new credentials with this command, which asks for them and tests them:"
                    .to_owned(),
            ],
        ),
        Language::Ja => (
            format!("「{name}」の認証情報を更新してください"),
            vec![
                format!("{}への接続「{name}」は、ブラウザーからは再接続できません。", provider.ja),
                "管理者が次のコマンドを実行し、新しい認証情報を入力してください。入力した内容はテストしてから保存されます。".to_owned(),
            ],
        ),
    }
}

/// What is said when a person has agreed, and somebody has to confirm that it was the right person.
pub(super) struct Agreed {
    pub(super) title: String,
    pub(super) paragraphs: Vec<String>,
    /// Before the link to a program on this machine, the link, and what to do when it waits on another one.
    pub(super) program: &'static str,
    pub(super) go_on: &'static str,
    pub(super) elsewhere: &'static str,
    /// Before a code, where nobody waits.
    pub(super) tell: &'static str,
    /// When another page opened the window, and when it is out of reach.
    pub(super) closes: &'static str,
    pub(super) lost: &'static str,
}

/// After a person has agreed.
pub(super) fn agreed(outcome: &CallbackOutcome, language: Language) -> Agreed {
    let (name, provider) = (&outcome.name, &outcome.provider.name);
    match language {
        Language::En => Agreed {
            title: format!("Almost connected to {}", provider.en),
            paragraphs: vec![format!("“{name}” is not connected yet: one step is left.")],
            program: "If you opened the link on the computer where it was made, go on. The command there then finishes.",
            go_on: "Go on",
            elsewhere: "If you opened it on another device, tell this code to the person who sent you the link, and to nobody else:",
            tell: "Tell this code to the person who sent you the link, and to nobody else. They need it within ten minutes:",
            closes: "The page that opened this window finishes it now. You can close the window.",
            lost: "The page that opened this window is out of reach. Go back to it, and begin again there.",
        },
        Language::Ja => Agreed {
            title: format!("{}への接続を完了してください", provider.ja),
            paragraphs: vec![format!("「{name}」はまだ接続されていません。残りの操作は1つです。")],
            program: "リンクを作成したコンピューターで開いている場合は、次へ進んでください。コマンドが接続を完了します。",
            go_on: "次へ進む",
            elsewhere: "別の端末で開いている場合は、リンクの送り主だけに次のコードを伝えてください。",
            tell: "リンクの送り主だけに、10分以内に次のコードを伝えてください。",
            closes: "このウィンドウを開いたページが接続を完了します。このウィンドウは閉じてもかまいません。",
            lost: "このウィンドウを開いたページに戻れません。元のページを開き、もう一度操作してください。",
        },
    }
}

/// Title and paragraphs when an account is connected.
pub(super) fn connected(outcome: &CallbackOutcome, language: Language) -> (String, Vec<String>) {
    let (name, provider) = (&outcome.name, &outcome.provider.name);
    let (title, called, close) = match language {
        Language::En => (
            format!("You are now connected to {}", provider.en),
            format!("The connection is called “{name}”."),
            "You can close this window.",
        ),
        Language::Ja => (
            format!("{}に接続しました", provider.ja),
            format!("接続名は「{name}」です。"),
            "このウィンドウは閉じてもかまいません。",
        ),
    };
    (title, vec![called, close.to_owned()])
}

/// Title and paragraphs when it was not.
pub(super) fn not_connected(problem: &Problem, language: Language) -> (&'static str, Vec<String>) {
    match language {
        Language::En => {
            let what = format!("{}.", problem.what.trim_end_matches('.'));
            ("The account was not connected", vec![what, problem.fix.clone()])
        }
        Language::Ja => {
            let paragraphs =
                in_japanese(problem.code).map(|(what, fix)| vec![what.to_owned(), fix.to_owned()]);
            let paragraphs = paragraphs.unwrap_or_else(|| {
                // Problems are told in English; whoever sent the link can act on it.
                let fix = "もう一度リンクから操作してください。解決しない場合は、次の内容をリンクの送り主にお知らせください。";
                vec![fix.to_owned(), format!("{}. {}", problem.what.trim_end_matches('.'), problem.fix)]
            });
            ("アカウントを接続できませんでした", paragraphs)
        }
    }
}

/// What happened and what to do, for the problems that a person can meet on this way.
fn in_japanese(code: &str) -> Option<(&'static str, &'static str)> {
    Some(match code {
        "other_site" => {
            ("別のサイトのページから送信されました。", "リンクを直接開き、表示された画面から進んでください。")
        }
        "link_over" => (
            "このリンクは使用済みか、有効期限が切れています。",
            "リンクの送り主に、新しいリンクを依頼してください。",
        ),
        "waits_for_confirmation" => (
            "このリンクからアカウントが接続され、確認を待っています。",
            "通知の送り主による確認が終わるまでお待ちください。",
        ),
        "nothing_to_mend" => ("この接続は正常に動作しています。", "このページは閉じてかまいません。"),
        "state_unknown" => (
            "進行中の手続きがありません。すでに完了しているか、時間切れです。",
            "もう一度リンクから操作してください。",
        ),
        "authorization_refused" => (
            "手続きを始めたブラウザーまたは接続先と一致しません。",
            "同じブラウザーで、もう一度リンクから操作してください。身に覚えのない場合は、第三者があなたのアカウントを自分の環境に接続しようとした可能性があります。",
        ),
        "authorization_denied" => (
            "接続先のサービスで許可されませんでした。",
            "もう一度リンクから操作し、接続先の画面で許可してください。",
        ),
        "no_code" | "invalid_query_params" => {
            ("接続先のサービスからの応答が正しくありません。", "もう一度リンクから操作してください。")
        }
        "unknown_callback" => (
            "このリダイレクトURIを持つOAuthクライアントはありません。",
            "接続先に登録したリダイレクトURIを確認するよう、管理者に依頼してください。",
        ),
        _ => return None,
    })
}

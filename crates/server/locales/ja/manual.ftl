## マニュアル

list-separator = 、

## プロバイダーのガイド。値はすでにMarkdownになっています。

guide-id = プロバイダーID
guide-hosts = リクエストの送信先
guide-host-typed = 入力したホスト
guide-schemes = 認証方法
guide-categories = カテゴリー
guide-documentation = 提供元のドキュメント
guide-colon = ：
guide-optional = （省略可）

guide-before = 始める前に
guide-before-account = 接続でアクセスするデータを閲覧できる、{ $name }のアカウント
guide-before-client = **{ $scheme }** の場合：管理者が{ $name }に登録したOAuthクライアント。登録の手順は下に書いてあります。
guide-gate-explain = 提供元または管理者から求められている場合だけ入力します。

guide-choice = 認証方法を選ぶ
guide-choice-way = 認証方法
guide-reach = 何にアクセスしますか？ 誰が取り消せますか？
guide-reach-key = このキーでアクセスできる範囲にアクセスします。{ $name }でキーを取り消すか作り直すまで使えます。
guide-reach-password = このユーザーとして動作し、ユーザーが閲覧できる範囲にアクセスします。{ $name }でパスワードを変更するか、ユーザーを停止すると使えなくなります。
guide-reach-person = 許可した人が閲覧できる範囲に、同意したスコープでアクセスします。本人または管理者が{ $name }で取り消せます。
guide-reach-client = { $name }に登録されたクライアントとして動作します。登録先でクライアントを削除するか、シークレットを作り直すまで使えます。
guide-reach-nothing = 誰でも呼び出せるAPIです。入力するものも、取り消すものもありません。
guide-reach-session = ログイン中のユーザーとして、セッションが終わるまで動作します。
guide-reach-account = これらの値のアカウントでアクセスできる範囲にアクセスします。{ $name }で取り消すか作り直すまで使えます。

guide-scheme = 接続する：{ $scheme }
guide-sent-header = 認証情報はヘッダー { $header } で送られます。
guide-sent-query = 認証情報はクエリパラメーター { $parameter } で送られます。
guide-sent-basic = 名前とパスワードはHTTP Basic認証で送られます。
guide-sent-encoded = 名前とパスワードはまとめてヘッダー { $header } で送られます。
guide-sent-token = 提供元が発行するトークンが、リクエストごとに送られます。
guide-sent-nothing = リクエストのほかには何も送られません。
guide-sent-template = 入力した値は、提供元の指定どおりにリクエストに付けられます。
guide-sent-signed-token = Tomboloが鍵で署名したトークンが、リクエストごとに送られます。鍵そのものは送られません。
guide-sent-login = Tomboloが入力された値でログインし、得られたトークンをリクエストごとに送ります。
guide-sent-signature = リクエストごとに署名します。シークレットそのものは送られません。
guide-sent-cookie = セッションはCookie { $cookie } として送られます。
guide-several = 1つの接続に最大{ $max }個まで、{ $by }ごとに1つずつ登録できます。呼び出しには必要なものだけが付きます。
guide-renewed = トークンは期限が切れる前に自動で更新されます。
guide-locks-out = 失敗が続くとアカウントがロックされます。そのため、拒否された認証情報は一度しか試さず、接続をテストするまで再送しません。
guide-scopes = 次のスコープを要求します。
guide-scope-extra = （指定した場合だけ）

guide-steps = 手順
guide-step-client = 最初に一度だけ、管理者がOAuthクライアントをここで作成し、表示されたリダイレクトURIをコピーします。
guide-step-register = { $name }にOAuthクライアントを登録し、リダイレクトURIを一字一句そのまま指定します。
guide-step-register-where = 登録の場所は提供元のドキュメントをご覧ください：{ $documentation }
guide-step-client-secret = クライアントIDとクライアントシークレットをここに登録します。
guide-step-open = フォームを開きます。ダッシュボードで［接続を作成］を押して **{ $name }** を選ぶか、受け取ったリンクを開きます。
guide-step-name = **接続名**：後でどのアカウントか分かる名前を入力します（例：「{ $name } – 営業部」）。
guide-step-scheme = **認証方法**：**{ $scheme }** を選びます。
guide-step-paste = { $name }のページのURLをいずれかの欄に貼り付けると、読み取れる項目が自動で入力されます。
guide-step-gate = **{ $gate }**：必要な場合だけ入力します（[下の説明](#apiの手前にある認証)）。
guide-step-agree = ［{ $name }に進む］を押してログインし、要求される内容を確認して許可します。アカウントがテストされ、接続が作成されます。
guide-step-test = ［テスト］を押します。[各段階](#テストで確認すること)の結果が表示され、最後に「接続できます」または「接続できません」と対処方法が表示されます。
guide-step-create = ［作成］を押します。もう一度テストし、成功した場合だけ保存します。
guide-field-secret = 入力した値は暗号化して保存され、二度と表示されません。
guide-field-plain = お使いのアカウントの値を入力します。
guide-field-choices = 選択肢：{ $choices }。
guide-field-default = 指定しない場合は { $default } です。
guide-field-example = （例：{ $example }）
guide-command = コマンドで同じことをする

guide-gates = APIの手前にある認証
guide-gate-twins = この場合、リクエストは { $hosts } に送られます。
guide-impossible = 組み合わせられないもの

guide-test = テストで確認すること
guide-test-lead = これらの段階に成功するまで何も保存しません。また、テストで提供元に何かを書き込むことはありません。
guide-stage-name = **ホスト名が見つかる：** ホスト名を調べます。
guide-stage-connect = **ホストに接続できる：** 接続します。
guide-stage-tls = **安全な接続である：** サーバー証明書を検証します。
guide-stage-each = （{ $list }ごと）
guide-stage-when = （「{ $field }」が入力されている場合）
guide-stage-schemes = （{ $schemes }の場合）
guide-stage-capability = 。権限があるかを調べるだけで、拒否されてもテストは失敗になりません
guide-stage-budget = **リクエストの余裕がある：** 提供元が知らせる混み具合を確認します。
guide-test-any-answer = これ以上を確かめられる呼び出しは分かっていません。APIが応答し、認証情報が拒否されないことを確認します。
guide-test-end = 最後の行に **接続できます** または **接続できません** と表示されます。

guide-failures = うまくいかないとき
guide-failures-lead = 失敗したときは、何が起きたかと対処方法が表示されます。分かっているものは次のとおりです。
guide-failures-own = { $name }からの応答
guide-failures-common = 途中の経路など、共通のもの

guide-settings = 設定
guide-settings-lead = 最初は指定する必要はありません。フォームに行を追加するか、`--setting` で指定します。
guide-setting = 設定
guide-meaning = 説明
guide-default = 既定値

guide-connected = 呼び出す
guide-connected-lead = これで、どのHTTPクライアントからも、提供元のクライアントからも、この接続を通して呼び出せます。詳しくは[呼び出し方](../calling.md)をご覧ください。最初の呼び出し：
guide-now-connected = { $name }に接続しました。

## フォームの図

picture-title = { $name }に接続
picture-name = 接続名
picture-scheme = 認証方法
picture-file = ファイルを選択
picture-test = テスト
picture-create = 作成
picture-agree = 進む
picture-alternative = { $name }のフォーム。項目：{ $labels }

## REST APIのリファレンス。説明文はOpenAPIドキュメントのもので、英語だけです。

reference-title = REST API
reference-lead = コマンドでできることは、すべてこのAPIでもできます。このページはサーバーのルートから生成しているため、常に最新です。
reference-address = **アドレス**：お使いのサーバーのアドレスです。ここでは `$TOMBOLO_URL` と書きます。互換APIと同じパスと本文のため、既存のクライアントはホストを変えるだけで動きます。
reference-key = **キー**：`Authorization: Bearer tmb_…` を付けます。`tombolo api-key create` で作成します。必要なスコープは操作ごとに書いてあります。ほとんどは `environment:*` に含まれます。
reference-failures = **失敗**したときの本文は `application/problem+json`（RFC 9457）です。何が起きたか、どちら側の問題か、対処方法、サーバーのログで使うIDが入ります。
reference-lists = **一覧**はページに分かれています。`next_cursor` が `null` になるまで、その値を `cursor` に渡します。
reference-languages = 画面向けの**文章**は、`Accept-Language` に従って英語または日本語になります。
reference-begin = 最初の呼び出し
reference-schemas = 本文
reference-schemas-lead = リクエストと応答の本文です。印のないメンバーは省略されることがあります。
reference-schemas-link = [すべての本文](api/schemas.md)を名前順に見る
reference-who = 呼び出せる人：
reference-who-everybody = 誰でも呼び出せます。キーは要りません。
reference-who-key = 上に書かれたスコープを持つAPIキー
reference-who-session = 接続セッションのトークンを持つブラウザー
reference-parameters = パラメーター
reference-parameter = パラメーター
reference-place = 場所
reference-type = 型
reference-meaning = 説明
reference-member = メンバー
reference-required = *（必須）*
reference-in-path = パス
reference-in-header = ヘッダー
reference-in-query = クエリ
reference-body = 本文
reference-answers = 応答
reference-answer = 本文
reference-status = ステータス
reference-otherwise = その他
reference-example = 例
reference-one-of = 次のいずれか

## ページと棚

shelf-everybody = はじめに
shelf-end-user = アカウントを接続する方へ
shelf-developer = 組み込む開発者の方へ
shelf-administrator = 連携の管理者の方へ
shelf-data-person = データを扱う方へ
shelf-operator = サーバーの運用者の方へ
shelf-agent = エージェントへ
shelf-japanese = 日本語

page-readme = マニュアル
about-readme = どこに何が書いてあるかを案内します。
page-quick-start = クイックスタート
about-quick-start = アカウントなしで、最初の呼び出しまで数分で進みます。
page-link-an-account = アカウントを接続する
about-link-an-account = 接続を求められたときに起きること、保存されるもの、取り消し方を説明します。
page-providers = プロバイダー
about-providers = APIごとのガイドです。用意するもの、手順、失敗したときの対処方法が書いてあります。
page-embedding = 自社のページに組み込む
about-embedding = 接続セッション、ウィンドウ、フォームを、既存のクライアントで組み込みます。
page-calling = 接続を通して呼び出す
about-calling = curl、HTTPクライアント、提供元のクライアントから呼び出します。
page-webhooks = Webhook
about-webhooks = 接続、失敗、削除などの出来事を受け取ります。
page-api = REST API
about-api = すべての操作のパラメーター、本文、応答と、コピーして使える例です。
page-linking = 接続とテスト
about-linking = 認証方法、テスト、証明書、OAuthクライアント、変更と削除を説明します。
page-notifications = 通知
about-notifications = 対応が必要なアカウントを、メールやチャットで知らせます。
page-switching = Nangoからの切り替え
about-switching = 連携とアカウントを半日で移行します。
page-importing-providers = プロバイダーファイルの取り込み
about-importing-providers = Nangoが公開しているファイルから、約1,000のAPIを取り込みます。
page-adding-a-provider = プロバイダーの追加
about-adding-a-provider = 1つのAPIは1つのファイルです。コードは要りません。
page-reading-data = レコードの取得と書き出し
about-reading-data = アプリ全体を、ページごとに、またはCSVで取り出します。
page-single-sign-on = シングルサインオン
about-single-sign-on = 組織のアカウントでログインする設定（OpenID Connect）です。
page-operating = 運用
about-operating = データ、鍵、PostgreSQL、ネットワーク、バックアップ、監視について説明します。
page-configuration = 設定
about-configuration = すべての設定項目と既定値の一覧です。
page-cli = コマンドライン
about-cli = すべてのコマンドと、終了コード、例です。
page-agents = エージェント向け
about-agents = 原文の取得、スコープ、エラー、出力形式を説明します。

providers-lead = ガイドには、用意するもの、手順、失敗したときの対処方法が書いてあります。

llms-summary = SaaSのアカウントを一度だけ接続して動作を確認し、シークレットを守ったままプロキシ経由で呼び出す、セルフホスト型のサーバーです。
llms-lead = どのページもMarkdownです。ページのアドレスに `.md` を付けると原文を取得できます。
llms-openapi = 同じ内容のOpenAPI 3.1ドキュメント
llms-part-of-api = 操作と本文
llms-full-lead = Tomboloのマニュアルの全文です。ここに含まれないガイドを含む一覧は { $address } にあります。

## すべてのページに共通

manual-copy = コピー
manual-copied = コピーしました
manual-link-to = この見出しへのリンク：
manual-table = 表
manual-pages = マニュアルのページ
manual-all-pages = すべてのページ
manual-contents = このページの内容
manual-turn = 前後のページ
manual-before = 前へ
manual-after = 次へ
manual-only-english = 英語のみ
manual-search = マニュアルを検索
manual-search-hint = 何をしたいですか？
manual-search-empty = したいことや、表示されたエラーの言葉を入力してください。
manual-search-nothing = 「{ $question }」のすべての語を含むページはありません。語を減らしてみてください。
manual-search-found = { $count }件
manual-search-first = 上位{ $count }件
manual-results = 検索
manual-home-title = 目的から探す
manual-home-lead = アカウントを一度接続して動作を確認すれば、シークレットを守ったままAPIを呼び出せます。
manual-home-providers = ガイド
manual-all-providers = すべてのプロバイダー（{ $count }）
manual-list-pages = 一覧のページ
manual-nothing = ページが見つかりません
manual-nothing-do = 移動した可能性があります。内容で検索するか、最初のページからお探しください。
providers-found = プロバイダー：{ $count }件

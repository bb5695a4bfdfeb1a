## The manual.

list-separator = {", "}

## The guide page of a provider. Values are Markdown already.

guide-id = Provider id
guide-hosts = Requests go to
guide-host-typed = the host that you type
guide-schemes = Ways to sign in
guide-categories = Categories
guide-documentation = The vendor's documentation
guide-colon = :{" "}
guide-optional = {" "}(optional)

guide-before = Before you begin
guide-before-account = An account at { $name } that may see what the connection is to reach.
guide-before-client = For **{ $scheme }**: an OAuth client that an administrator has registered with { $name }. The steps below say how.
guide-gate-explain = Only when the vendor, or your administrator, asks for it.

guide-choice = Choose how to sign in
guide-choice-way = Way to sign in
guide-reach = What will it reach, and who can revoke it?
guide-reach-key = It reaches what the key may reach. It works until the key is revoked or replaced at { $name }.
guide-reach-password = It acts as this user and reaches what the user may see. It ends when the password is changed or the user is blocked at { $name }.
guide-reach-person = It reaches what the person who agrees may see, within the scopes that they agree to. They, or an administrator, can take it back at { $name }.
guide-reach-client = It acts as the client that is registered at { $name }, and reaches what that client may reach, until the client is deleted or its secret is replaced there.
guide-reach-nothing = The API is open to everybody: there is nothing to give and nothing to revoke.
guide-reach-session = It acts as the person who is logged in, until the session ends.
guide-reach-account = It reaches what the account behind these values may reach, until they are revoked or replaced at { $name }.

guide-scheme = Connect with: { $scheme }
guide-sent-header = The credential is sent in the header { $header }.
guide-sent-query = The credential is sent in the query parameter { $parameter }.
guide-sent-basic = Name and password are sent as HTTP Basic authentication.
guide-sent-encoded = Name and password are sent together in the header { $header }.
guide-sent-token = A token that the vendor gives out is sent with each request.
guide-sent-nothing = Nothing is sent beside the request.
guide-sent-template = What you fill in is put onto each request as the vendor asks for it.
guide-sent-signed-token = Each request carries a token that Tombolo signs with your key; the key itself is never sent.
guide-sent-login = Tombolo logs in with what you fill in, and each request carries the token that the login yields.
guide-sent-signature = Each request is signed with your secret; the secret itself is never sent.
guide-sent-cookie = The session is sent as the cookie { $cookie }.
guide-several = One connection holds up to { $max } of them, each for one of: { $by }. A call carries only those that it needs.
guide-renewed = Tokens are renewed by themselves, ahead of their end.
guide-locks-out = Several failures lock the account. So a refused credential is tried once, and not again until somebody has tested the connection.
guide-scopes = These scopes are asked for:
guide-scope-extra = {" "}(only when you ask for it)

guide-steps = Step by step
guide-step-client = Once, by an administrator: make the OAuth client here, and copy the redirect URI that is shown.
guide-step-register = Register an OAuth client with { $name }, with exactly that redirect URI.
guide-step-register-where = {" "}Their documentation says where: { $documentation }.
guide-step-client-secret = Give the client's id and secret here.
guide-step-open = Open the form: choose **Create connection** in the dashboard and then **{ $name }**, or follow the link that you were sent.
guide-step-name = **Connection name**: any name that tells you later which account it is, such as “{ $name } – sales”.
guide-step-scheme = **How to sign in**: choose **{ $scheme }**.
guide-step-paste = Paste the address of any page of your { $name } into any field; what can be read from it fills itself in.
guide-step-gate = **{ $gate }**: fill it in only if you need it, [as explained below](#in-front-of-the-api).
guide-step-agree = Choose **Continue to { $name }**, sign in there, look at what is asked for, and agree. The account is tested, and the connection is made.
guide-step-test = Choose **TEST**. [Each stage](#what-the-test-looks-at) shows its verdict, and the last line says *connection available* or *connection unavailable* with what to do.
guide-step-create = Choose **CREATE**. It tests once more and stores only what passed.
guide-field-secret = The value is sealed once it is typed, and never shown again.
guide-field-plain = Fill in the value of your account.
guide-field-choices = {" "}One of { $choices }.
guide-field-default = {" "}{ $default } unless you say otherwise.
guide-field-example = {" "}For example { $example }.
guide-command = The same from the command line

guide-gates = In front of the API
guide-gate-twins = Requests then go to { $hosts }.
guide-impossible = What does not go together

guide-test = What the test looks at
guide-test-lead = Nothing is stored before these stages have passed, and nothing is ever written at the vendor by a test.
guide-stage-name = **The name is known.** The host name is looked up.
guide-stage-connect = **The host can be reached.** A connection is made.
guide-stage-tls = **The connection is secure.** The server's certificate is verified.
guide-stage-each = {" "}for each of: { $list }
guide-stage-when = , if “{ $field }” is filled in
guide-stage-schemes = , with { $schemes }
guide-stage-capability = . It only finds out what is permitted; a refusal is reported and fails nothing
guide-stage-budget = **There is room for requests.** The vendor says itself how busy it is.
guide-test-any-answer = No call is known here that proves more: the test sees that the API answers and does not refuse the credential.
guide-test-end = The last line says **connection available** or **connection unavailable**.

guide-failures = When something goes wrong
guide-failures-lead = A failure says what happened and what to do. These are the ones that are known.
guide-failures-own = From { $name }
guide-failures-common = On the way, and everywhere else

guide-settings = Settings
guide-settings-lead = Nobody needs them to begin. They are given as further rows of the form, or with `--setting`.
guide-setting = Setting
guide-meaning = What it does
guide-default = Default

guide-connected = Make a call
guide-connected-lead = Any HTTP client, and the vendor's own, can call through the connection now; [Calling](../calling.md) says how. A first call:
guide-now-connected = You are now connected to { $name }.

## The drawing of the form.

picture-title = Connect { $name }
picture-name = Connection name
picture-scheme = How to sign in
picture-file = Choose a file
picture-test = TEST
picture-create = CREATE
picture-agree = Continue
picture-alternative = The form for { $name }, with the fields: { $labels }

## The reference of the REST API.

reference-title = REST API
reference-lead = Everything that the command line can do, it does through this API. These pages are made from the server's own routes, so they are never out of date.
reference-address = **Address**: that of your server, here `$TOMBOLO_URL`. Paths and bodies of the compatible API are the same, so clients that exist for it work with only the host changed.
reference-key = **Key**: `Authorization: Bearer tmb_…`, made with `tombolo api-key create`. Each operation names the scope that it needs; `environment:*` has nearly all of them. Who may call is said with each operation.
reference-failures = **Failures** have a body of the type `application/problem+json` (RFC 9457): what happened, whose side it is on, what to do, and the id under which the server's log knows the request.
reference-lists = **Lists** come in pages: pass `next_cursor` on as `cursor` until it is `null`.
reference-languages = **Texts** for people are in English or Japanese, as `Accept-Language` asks.
reference-begin = A first call
reference-schemas = Bodies
reference-schemas-lead = What requests and answers are made of. A member without the mark may be absent.
reference-schemas-link = [All bodies](api/schemas.md), by name.
reference-who = Who may call it:
reference-who-everybody = Everybody; no key is needed.
reference-who-key = An API key with the scope that is named above.
reference-who-session = A browser with the token of a connect session.
reference-parameters = Parameters
reference-parameter = Parameter
reference-place = Where
reference-type = Type
reference-meaning = Meaning
reference-member = Member
reference-required = *(required)*
reference-in-path = path
reference-in-header = header
reference-in-query = query
reference-body = Body
reference-answers = Answers
reference-answer = Body
reference-status = Status
reference-otherwise = otherwise
reference-example = Example
reference-one-of = One of

## Pages and shelves.

shelf-everybody = Begin here
shelf-end-user = You link an account
shelf-developer = You build on it
shelf-administrator = You administer integrations
shelf-data-person = You work with data
shelf-operator = You run the server
shelf-agent = You are an agent
shelf-japanese = In Japanese

page-readme = The manual
about-readme = Where to find what.
page-quick-start = Quick start
about-quick-start = From nothing to a first call in a few minutes, without an account.
page-link-an-account = Link an account
about-link-an-account = You were asked to connect an account: what happens, what is kept, and how to take it back.
page-providers = Providers
about-providers = A guide for each API: what to have ready, every step, and what failures mean.
page-embedding = Let your users link
about-embedding = Connect sessions, windows and forms in your own pages, with clients that exist already.
page-calling = Call through a connection
about-calling = With curl, any HTTP client, or the vendor's own.
page-webhooks = Webhooks
about-webhooks = Be told what happens: linked, failing, gone.
page-api = REST API
about-api = Every operation with its parameters, bodies, answers and a line to copy.
page-linking = Link and test
about-linking = Ways to sign in, the test, certificates, OAuth clients, changing and deleting.
page-notifications = Notifications
about-notifications = Have people told by mail or in a chat when an account needs them.
page-switching = Switch from Nango
about-switching = Bring over integrations and accounts in an afternoon.
page-importing-providers = Import provider files
about-importing-providers = About a thousand APIs from Nango's published file.
page-adding-a-provider = Add a provider
about-adding-a-provider = One API is one file, without code.
page-reading-data = Read and export records
about-reading-data = Whole apps through the proxy, as pages or as CSV.
page-single-sign-on = Single sign-on
about-single-sign-on = Sign in with the accounts of your organisation, over OpenID Connect.
page-operating = Operate
about-operating = Data, keys, PostgreSQL, the network, backups, what to watch.
page-configuration = Configuration
about-configuration = Every setting, its default, and what it does.
page-cli = Command line
about-cli = Every command, with exit codes and examples.
page-agents = For agents
about-agents = How a program that reads finds its way: sources, scopes, errors, output.

providers-lead = Each guide says what to have ready, goes through every step, and lists what failures mean.

llms-summary = A self-hosted server that links accounts of SaaS APIs once, proves that they work, and calls them through a proxy while the secrets stay locked away.
llms-lead = Every page is Markdown. Add `.md` to the address of a page to get its source.
llms-openapi = the same as an OpenAPI 3.1 document
llms-part-of-api = operations and bodies
llms-full-lead = The manual of Tombolo in one text. The list of its pages, with the guides that are left out here, is { $address }.

## Around every page.

manual-copy = Copy
manual-copied = Copied
manual-link-to = Link to
manual-table = Table
manual-pages = Pages of the manual
manual-all-pages = All pages
manual-contents = On this page
manual-turn = Previous and next page
manual-before = Previous
manual-after = Next
manual-only-english = In English only
manual-search = Search the manual
manual-search-hint = What do you want to do?
manual-search-empty = Type some words: what you want to do, or what an error says.
manual-search-nothing = Nothing has all the words of “{ $question }”. Try fewer of them.
manual-search-found = { $count ->
    [one] 1 place
   *[other] { $count } places
}
manual-search-first = The { $count } best places
manual-results = Search
manual-home-title = How to do what you came for
manual-home-lead = Link an account once, prove that it works, then call its API, with the secret locked away.
manual-home-providers = Guides
manual-all-providers = { $count ->
    [one] The one provider
   *[other] All { $count } providers
}
manual-list-pages = Pages of the list
manual-nothing = There is no such page
manual-nothing-do = It may have moved. Search for what it was about, or begin at the front.
providers-found = { $count ->
    [one] 1 provider
   *[other] { $count } providers
}

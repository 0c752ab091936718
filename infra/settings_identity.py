"""The settings of signing in: tokens, the providers that know people, and what carries codes to them."""

from dataclasses import dataclass
from pathlib import Path

from infra.settings_values import mailbox, names, one_of, path, url, web_address, words
from infra.settings_variable import variable


@dataclass(frozen=True, kw_only=True)
class IdentitySettings:
    """Who is believed when they say who somebody is."""

    token_issuer: str = variable("TUAN_TOKEN_ISSUER", words(), "tuan", "`iss` that access tokens must carry")
    token_audience: str = variable("TUAN_TOKEN_AUDIENCE", words(), "tuan-api", "`aud` that access tokens must carry")
    token_private_key_file: Path | None = variable(
        "TUAN_TOKEN_PRIVATE_KEY_FILE",
        path(),
        None,
        "PEM of the P-256 key that access tokens are signed with",
        default_shown="made in the data directory",
    )
    token_public_keys_dir: Path | None = variable(
        "TUAN_TOKEN_PUBLIC_KEYS_DIR",
        path(),
        None,
        "folder of the P-256 public keys (*.pem) that the API trusts",
        default_shown="the private key's own",
    )
    apple_client_ids: tuple[str, ...] = variable(
        "TUAN_APPLE_CLIENT_IDS", names(), (), "our apps at Apple: bundle and service ids", default_shown="not offered"
    )
    google_client_ids: tuple[str, ...] = variable(
        "TUAN_GOOGLE_CLIENT_IDS", names(), (), "our apps at Google: OAuth client ids", default_shown="not offered"
    )
    facebook_app_ids: tuple[str, ...] = variable(
        "TUAN_FACEBOOK_APP_IDS", names(), (), "our apps at Facebook (Limited Login)", default_shown="not offered"
    )
    openid_base: str = variable(
        "TUAN_OPENID_BASE",
        url("https", "http"),
        "",
        "a stand-in for Apple, Google and Facebook: issuers `{base}/apple` and so on, keys at `{base}/apple/jwks`",
        default_shown="the providers themselves",
    )
    wechat_app_id: str = variable(
        "TUAN_WECHAT_APP_ID", words(), "", "our app at WeChat (`wx...`)", default_shown="not offered"
    )
    wechat_secret_file: Path | None = variable(
        "TUAN_WECHAT_SECRET_FILE",
        path(),
        None,
        "file that holds that app's secret and nothing else",
        default_shown="not offered",
    )
    wechat_api_base: str = variable(
        "TUAN_WECHAT_API_BASE",
        url("https", "http"),
        "",
        "where WeChat's API is, for a stand-in",
        default_shown="https://api.weixin.qq.com",
    )
    codes_key_file: Path | None = variable(
        "TUAN_CODES_KEY_FILE",
        path(),
        None,
        "file of 32 random bytes that codes, and links that end letters, are made with; the same for all processes",
        default_shown="made in the data directory",
    )
    message_gateway: str = variable(
        "TUAN_MESSAGE_GATEWAY",
        one_of("console", "none"),
        "",
        "where messages go that nothing below carries; console: a log line, and `/dev/inbox` for all to read",
        default_shown="console where nothing below is set (its inbox only on loopback and without proxies), else none",
    )
    sms_url: str = variable(
        "TUAN_SMS_URL",
        web_address("https", "http"),
        "",
        "where text messages are posted to ([how](docs/messages.md))",
        default_shown="no text messages",
    )
    sms_key_file: Path | None = variable(
        "TUAN_SMS_KEY_FILE",
        path(),
        None,
        "file that holds the key text messages are signed with, 32 characters or more",
        default_shown="no text messages",
    )
    smtp_url: str = variable(
        "TUAN_SMTP_URL",
        web_address("smtps", "smtp"),
        "",
        "mail server: `smtps://user@host`, or `smtp://user@host` for STARTTLS",
        default_shown="no e-mail",
    )
    smtp_password_file: Path | None = variable(
        "TUAN_SMTP_PASSWORD_FILE",
        path(),
        None,
        "file that holds the password of the user in `TUAN_SMTP_URL`",
        default_shown="no password",
    )
    mail_from: str = variable(
        "TUAN_MAIL_FROM", mailbox(), "", "the address that letters come from", default_shown="no e-mail"
    )

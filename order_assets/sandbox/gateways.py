"""What the stand-in's payment gateways were sent and what they answered, as the API keeps it: as raw text.

XML, JSON or form encoding, by gateway, with the terminal's credentials and the customer's e-mail and
address in it: the real API gives these away, and a user of this package must not store them. Which
transactions there are is in `payment_story`.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from urllib.parse import urlencode
from xml.sax.saxutils import escape

from order_assets.sandbox.value_text import Json, hex_text, instant, money

_CURRENCY_NUMBERS = {"try": "949", "aed": "784", "eur": "978", "usd": "840"}


@dataclass(frozen=True, slots=True)
class Exchange:
    """One call to a gateway: for which order, about how much money, with which credentials (`config`)."""

    transaction: int
    order_number: str
    kind: str
    amount: int
    currency: str
    created: int
    succeeded: bool
    bin_number: str
    customer: int
    email: str
    remote_addr: str
    code: str
    approval: str
    config: Json


def raw_texts(style: str, exchange: Exchange) -> tuple[str, str]:
    """Give request and response of an exchange with a gateway of this style (nestpay, garanti, ...)."""
    return _GATEWAYS[style](exchange)


def _elements(**values: str) -> str:
    return "".join(f"<{name}>{escape(value)}</{name}>" for name, value in values.items())


def _nestpay(exchange: Exchange) -> tuple[str, str]:
    auth, order_id = exchange.config["auth"], exchange.order_number + exchange.code
    request = _elements(
        OrderId=order_id,
        PayerAuthenticationCode="CAVV",
        Name=auth["username"],
        Taksit="",
        Type={"refund": "Credit", "pre_purchase": "PreAuth"}.get(exchange.kind, "Auth"),
        Expires="**/****",
        Number="****************",
        ClientId=auth["client_id"],
        Cvv2Val="***",
        Currency=_CURRENCY_NUMBERS[exchange.currency],
        GroupId="",
        TransId="",
        Password=auth["password"],
        IPAddress=exchange.remote_addr,
        Email=exchange.email,
        Total=money(exchange.amount),
    )
    outcome = _elements(
        OrderId=order_id,
        Response="Approved" if exchange.succeeded else "Declined",
        AuthCode=exchange.approval,
        HostRefNum=f"{exchange.transaction:012d}",
        ProcReturnCode="00" if exchange.succeeded else "51",
        TransId=exchange.code,
        ErrMsg="" if exchange.succeeded else "Limit yetersiz",
    )
    extra = _elements(
        SETTLEID="385",
        TRXDATE=instant(exchange.created)[:19].replace("-", "").replace("T", " "),
        TERMINALID="00556600",
        MERCHANTID="655000999",
        CARDBRAND="VISA",
        CARDISSUER="T. IS BANKASI A.S.",
        NUMCODE="00",
    )
    return (
        f'<?xml version="1.0" encoding="utf-8"?>\n<CC5Request>{request}</CC5Request>',
        '<?xml version="1.0" encoding="ISO-8859-9"?>\n'
        f"<CC5Response>\n {outcome}\n <Extra>{extra}</Extra>\n</CC5Response>\n",
    )


def _garanti(exchange: Exchange) -> tuple[str, str]:
    auth = exchange.config["auth"]
    user = auth["prov_username"]["refund" if exchange.kind == "refund" else "oos"]
    terminal = _elements(
        ProvUserID=user,
        HashData=hex_text(40, 0, "garanti-hash", exchange.transaction).upper(),
        UserID=user,
        ID=auth["terminal_id"],
        MerchantID=auth["merchant_id"],
        Password=auth["password"],
        StoreKey=exchange.config["store_key"],
    )
    customer = _elements(IPAddress=exchange.remote_addr, EmailAddress=exchange.email)
    number = f"{exchange.bin_number}******{exchange.transaction % 10_000:04d}"
    card = _elements(Number=number, ExpireDate="****", CVV2="***")
    kind = "refund" if exchange.kind == "refund" else "sales"
    deal = _elements(Type=kind, InstallmentCnt="", Amount=str(exchange.amount), CurrencyCode="949")
    order = f"<Order><OrderID>{exchange.order_number}</OrderID></Order>"
    code = "00" if exchange.succeeded else "51"
    message = "Approved" if exchange.succeeded else "Declined"
    outcome = _elements(Source="HOST", Code=code, ReasonCode=code, Message=message, ErrorMsg="")
    receipt = _elements(
        RetrefNum=f"{exchange.transaction:012d}",
        AuthCode=exchange.approval,
        CardHolderName="H***** S*****",
    )
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n<GVPSRequest><Mode>TEST</Mode><Version>v0.01</Version>'
        f"<Terminal>{terminal}</Terminal><Customer>{customer}</Customer><Card>{card}</Card>"
        f"{order}<Transaction>{deal}</Transaction></GVPSRequest>",
        f"<GVPSResponse>{order}<Transaction><Response>{outcome}</Response>{receipt}</Transaction></GVPSResponse>",
    )


def _posnet(exchange: Exchange) -> tuple[str, str]:
    auth = exchange.config["auth"]
    head = _elements(mid=auth["mid"], tid=auth["tid"], username=auth["username"], password=auth["password"])
    sale = _elements(
        amount=str(exchange.amount),
        ccno="****************",
        currencyCode="TL",
        cvc="***",
        expDate="****",
        orderID=exchange.code,
        installment="00",
    )
    outcome = _elements(
        approved="1" if exchange.succeeded else "0",
        hostlogkey=f"{exchange.transaction:018d}",
        authCode=exchange.approval,
    )
    return (
        f'<?xml version="1.0" encoding="ISO-8859-9"?><posnetRequest>{head}<sale>{sale}</sale></posnetRequest>',
        f"<posnetResponse>{outcome}</posnetResponse>",
    )


def _iyzico(exchange: Exchange) -> tuple[str, str]:
    total = money(exchange.amount)
    request = {
        "locale": "tr",
        "conversationId": exchange.code,
        "apiKey": exchange.config["api_key"],
        "secretKey": exchange.config["secret_key"],
        "price": total,
        "paidPrice": total,
        "paymentCard": {"cardNumber": "****************", "cvc": "***", "expireYear": "****"},
        "buyer": {
            "id": str(exchange.customer),
            "email": exchange.email,
            "ip": exchange.remote_addr,
            "identityNumber": "00000000000",
        },
    }
    response = {
        "status": "success" if exchange.succeeded else "failure",
        "paymentId": str(exchange.transaction),
        "price": total,
        "binNumber": exchange.bin_number,
        "authCode": exchange.approval,
        "errorMessage": None if exchange.succeeded else "Kart limiti yetersiz, yetersiz bakiye",
    }
    return json.dumps(request, ensure_ascii=False), json.dumps(response, ensure_ascii=False)


def _paytr(exchange: Exchange) -> tuple[str, str]:
    request = {
        "merchant_id": exchange.config["merchant_id"],
        "merchant_key": exchange.config["merchant_key"],
        "merchant_salt": exchange.config["merchant_salt"],
        "user_ip": exchange.remote_addr,
        "merchant_oid": exchange.code,
        "email": exchange.email,
        "payment_amount": str(exchange.amount),
        "currency": exchange.currency.upper(),
    }
    response = {
        "status": "success" if exchange.succeeded else "failed",
        "merchant_oid": exchange.code,
        "total_amount": str(exchange.amount),
    }
    return urlencode(request), urlencode(response)


def _network(exchange: Exchange) -> tuple[str, str]:
    request = {
        "headers": {"Authorization": f"Basic {exchange.config['api_key']}"},
        "body": {
            "action": "REFUND" if exchange.kind == "refund" else "SALE",
            "amount": {"currencyCode": exchange.currency.upper(), "value": exchange.amount},
            "emailAddress": exchange.email,
            "outletId": exchange.config["outlet"],
        },
    }
    response = {
        "state": "CAPTURED" if exchange.succeeded else "FAILED",
        "reference": exchange.code,
        "authResponse": {"authorizationCode": exchange.approval},
    }
    return json.dumps(request), json.dumps(response)


_GATEWAYS = {
    "nestpay": _nestpay,
    "garanti": _garanti,
    "posnet": _posnet,
    "iyzico": _iyzico,
    "paytr": _paytr,
    "network": _network,
}

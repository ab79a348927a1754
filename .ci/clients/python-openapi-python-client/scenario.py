"""What a partner does with the client that openapi-python-client generates."""

import os
import uuid

from crypto_exchange_escrow_partner_api_client import AuthenticatedClient
from crypto_exchange_escrow_partner_api_client.api.customers import create_customer, get_customer
from crypto_exchange_escrow_partner_api_client.models import (
    AchBankAddress,
    BeneficiaryAddress,
    Customer,
    CustomerStatus,
    DisbursementMethodType,
    NewAchMethod,
    NewAchMethodAccountType,
    NewAchMethodCurrency,
    NewAchMethodType,
    NewAddress,
    NewCryptoWalletMethod,
    NewCryptoWalletMethodNetwork,
    NewCryptoWalletMethodType,
    NewCustomer,
    NewWireTransferMethod,
    NewWireTransferMethodCurrency,
    NewWireTransferMethodType,
    Problem,
    WireBankAddress,
)

client = AuthenticatedClient(base_url=os.environ["ESCROW_URL"], token=os.environ["ESCROW_KEY"])


def email() -> str:
    return f"python-{uuid.uuid4()}@example.com"


def johny(post_code: int | str, phone_number: int | str) -> NewCustomer:
    return NewCustomer(
        email=email(),
        first_name="Johny",
        last_name="Smith",
        address=NewAddress(
            line1="East Lane", city="San Francisco", state="CA", country="US", post_code=post_code
        ),
        phone_number=phone_number,
    )


def create(body: NewCustomer) -> Customer:
    answer = create_customer.sync(client=client, body=body, idempotency_key=str(uuid.uuid4()))
    assert isinstance(answer, Customer), answer
    return answer


def refusal(body: NewCustomer) -> Problem:
    answer = create_customer.sync(client=client, body=body)
    assert isinstance(answer, Problem), answer
    return answer


def describe(customer: Customer) -> str:
    """Says what is known of a customer; what is not is None."""
    return ", ".join(
        (
            f"{customer.first_name} {customer.last_name}" if customer.first_name else "no name",
            CustomerStatus(customer.status).name.lower(),
            f"{customer.address.post_code} {customer.address.city}" if customer.address else "no address",
            customer.phone or "no phone",
        )
    )


def faults(problem: Problem) -> str:
    return ", ".join(f"{fault.code} at {fault.pointer}" for fault in problem.errors or ())


numbers = johny(10203, 8885118600)
created = create(numbers)
print(f"create with numbers: {describe(created)}")
print(f"create with strings: {describe(create(johny('10203', '+18885118600')))}")
print(f"create with the e-mail address only: {describe(create(NewCustomer(email=email())))}")

taken = refusal(numbers)
if taken.code == "email_already_in_use" and taken.customer_id == created.id:
    print(f"create again: {taken.status} {taken.code}")

got = get_customer.sync(created.id, client=client)
if isinstance(got, Customer) and got.id == created.id:
    print(f"get: {describe(got)}")


def wire_transfer(iban: str) -> NewWireTransferMethod:
    return NewWireTransferMethod(
        type_=NewWireTransferMethodType.WIRE_TRANSFER,
        account_name="Johny Smith",
        currency=NewWireTransferMethodCurrency.EUR,
        bank_iban=iban,
        bank_swift_code="DEUTDEFF",
        bank_name="Deutsche Beispielbank",
        bank_address=WireBankAddress(city="Frankfurt am Main", country="DE"),
        beneficiary_address=BeneficiaryAddress(line1="East Lane", city="San Francisco", country="US"),
    )


ach = NewAchMethod(
    type_=NewAchMethodType.ACH,
    account_name="Johny Smith",
    account_type=NewAchMethodAccountType.CHECKING,
    bank_aba_routing_number="021000021",
    bank_account_number="000123456789",
    bank_name="Bank of Coffee",
    bank_address=AchBankAddress(city="New York", state="NY"),
    currency=NewAchMethodCurrency.USD,
)
crypto_wallet = NewCryptoWalletMethod(
    type_=NewCryptoWalletMethodType.CRYPTO_WALLET,
    asset="BTC",
    network=NewCryptoWalletMethodNetwork.BITCOIN,
    address="bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4",
)
paid = create(
    NewCustomer(
        email=email(),
        disbursement_methods=[ach, wire_transfer("DE89 3704 0044 0532 0130 00"), crypto_wallet],
    )
)
for method in paid.disbursement_methods:
    match method.type_:
        case DisbursementMethodType.ACH:
            print(f"ach: account ending in {method.bank_account_number_last4}")
        case DisbursementMethodType.WIRE_TRANSFER:
            print(f"wire_transfer: IBAN ending in {method.bank_iban_last4}")
        case DisbursementMethodType.CRYPTO_WALLET:
            print(f"crypto_wallet: address ending in {method.address_last4}")

invalid = refusal(NewCustomer(email="johny.smith@localhost"))
print(f"invalid: {invalid.status} {invalid.code}, {faults(invalid)}")

unacceptable = refusal(
    NewCustomer(
        email=email(),
        address=NewAddress(line1="East Lane", city="San Francisco", country="XX", post_code="10203"),
        disbursement_methods=[wire_transfer("DE89 3704 0044 0532 0130 01")],
    )
)
print(f"unacceptable: {unacceptable.status} {unacceptable.code}, {faults(unacceptable)}")

unknown = get_customer.sync(2**63 - 1, client=client)
if isinstance(unknown, Problem):
    print(f"unknown id: {unknown.status} {unknown.code}")

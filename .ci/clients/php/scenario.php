<?php

// What a partner does with the client that openapi-generator generates.

declare(strict_types=1);

use OpenAPI\Client\Api\CustomersApi;
use OpenAPI\Client\ApiException;
use OpenAPI\Client\Configuration;
use OpenAPI\Client\Model\AchBankAddress;
use OpenAPI\Client\Model\BeneficiaryAddress;
use OpenAPI\Client\Model\Customer;
use OpenAPI\Client\Model\DisbursementMethod;
use OpenAPI\Client\Model\NewAchMethod;
use OpenAPI\Client\Model\NewAddress;
use OpenAPI\Client\Model\NewCryptoWalletMethod;
use OpenAPI\Client\Model\NewCustomer;
use OpenAPI\Client\Model\NewWireTransferMethod;
use OpenAPI\Client\Model\Problem;
use OpenAPI\Client\Model\WireBankAddress;

// Composer makes this of the client's composer.json; Debian's Guzzle brings the like.
require 'GuzzleHttp/autoload.php';
spl_autoload_register(static function (string $class): void {
    $prefix = 'OpenAPI\\Client\\';
    if (str_starts_with($class, $prefix)) {
        require getenv('CLIENT') . '/lib/' . strtr(substr($class, strlen($prefix)), '\\', '/') . '.php';
    }
});

$customers = new CustomersApi(config: (new Configuration())
    ->setHost(getenv('ESCROW_URL'))
    ->setAccessToken(getenv('ESCROW_KEY')));

function email(): string
{
    return sprintf('php-%s@example.com', bin2hex(random_bytes(16)));
}

function johny(int|string $postCode, int|string $phoneNumber): NewCustomer
{
    return (new NewCustomer())
        ->setEmail(email())
        ->setFirstName('Johny')
        ->setLastName('Smith')
        ->setAddress((new NewAddress())
            ->setLine1('East Lane')
            ->setCity('San Francisco')
            ->setState('CA')
            ->setCountry('US')
            ->setPostCode($postCode))
        ->setPhoneNumber($phoneNumber);
}

function create(CustomersApi $customers, NewCustomer $body): Customer
{
    return $customers->createCustomer($body, bin2hex(random_bytes(16)));
}

/** @param callable(): mixed $call what is refused */
function refusal(callable $call): Problem
{
    try {
        $call();
    } catch (ApiException $refused) {
        return $refused->getResponseObject();
    }
    throw new LogicException('it was not refused');
}

// Says what is known of a customer; what is not is null.
function describe(Customer $customer): string
{
    $address = $customer->getAddress();

    return implode(', ', [
        $customer->getFirstName() === null ? 'no name' : "{$customer->getFirstName()} {$customer->getLastName()}",
        match ($customer->getStatus()) {
            Customer::STATUS_ACTIVE => 'active',
            Customer::STATUS_SUSPENDED => 'suspended',
            Customer::STATUS_CLOSED => 'closed',
        },
        $address === null ? 'no address' : "{$address->getPostCode()} {$address->getCity()}",
        $customer->getPhone() ?? 'no phone',
    ]);
}

function faults(Problem $problem): string
{
    return implode(', ', array_map(
        static fn ($fault) => "{$fault->getCode()} at {$fault->getPointer()}",
        $problem->getErrors() ?? [],
    ));
}

function wireTransfer(string $iban): NewWireTransferMethod
{
    return (new NewWireTransferMethod())
        ->setType(NewWireTransferMethod::TYPE_WIRE_TRANSFER)
        ->setAccountName('Johny Smith')
        ->setCurrency(NewWireTransferMethod::CURRENCY_EUR)
        ->setBankIban($iban)
        ->setBankSwiftCode('DEUTDEFF')
        ->setBankName('Deutsche Beispielbank')
        ->setBankAddress((new WireBankAddress())->setCity('Frankfurt am Main')->setCountry('DE'))
        ->setBeneficiaryAddress((new BeneficiaryAddress())
            ->setLine1('East Lane')
            ->setCity('San Francisco')
            ->setCountry('US'));
}

$numbers = johny(10203, 8885118600);
$created = create($customers, $numbers);
printf("create with numbers: %s\n", describe($created));
printf("create with strings: %s\n", describe(create($customers, johny('10203', '+18885118600'))));
$least = (new NewCustomer())->setEmail(email());
printf("create with the e-mail address only: %s\n", describe(create($customers, $least)));

$taken = refusal(static fn () => $customers->createCustomer($numbers));
if ($taken->getCode() === 'email_already_in_use' && $taken->getCustomerId() === $created->getId()) {
    printf("create again: %d %s\n", $taken->getStatus(), $taken->getCode());
}

$got = $customers->getCustomer($created->getId());
if ($got->getId() === $created->getId()) {
    printf("get: %s\n", describe($got));
}

$ach = (new NewAchMethod())
    ->setType(NewAchMethod::TYPE_ACH)
    ->setAccountName('Johny Smith')
    ->setAccountType(NewAchMethod::ACCOUNT_TYPE_CHECKING)
    ->setBankAbaRoutingNumber('021000021')
    ->setBankAccountNumber('000123456789')
    ->setBankName('Bank of Coffee')
    ->setBankAddress((new AchBankAddress())->setCity('New York')->setState('NY'))
    ->setCurrency(NewAchMethod::CURRENCY_USD);
$cryptoWallet = (new NewCryptoWalletMethod())
    ->setType(NewCryptoWalletMethod::TYPE_CRYPTO_WALLET)
    ->setAsset('BTC')
    ->setNetwork(NewCryptoWalletMethod::NETWORK_BITCOIN)
    ->setAddress('bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4');
$paid = create($customers, (new NewCustomer())
    ->setEmail(email())
    ->setDisbursementMethods([$ach, wireTransfer('DE89 3704 0044 0532 0130 00'), $cryptoWallet]));
foreach ($paid->getDisbursementMethods() as $method) {
    echo match ($method->getType()) {
        DisbursementMethod::TYPE_ACH => "ach: account ending in {$method->getBankAccountNumberLast4()}",
        DisbursementMethod::TYPE_WIRE_TRANSFER => "wire_transfer: IBAN ending in {$method->getBankIbanLast4()}",
        DisbursementMethod::TYPE_CRYPTO_WALLET => "crypto_wallet: address ending in {$method->getAddressLast4()}",
    }, "\n";
}

$nobody = (new NewCustomer())->setEmail('johny.smith@localhost');
$invalid = refusal(static fn () => $customers->createCustomer($nobody));
printf("invalid: %d %s, %s\n", $invalid->getStatus(), $invalid->getCode(), faults($invalid));

$nowhere = (new NewCustomer())
    ->setEmail(email())
    ->setAddress((new NewAddress())
        ->setLine1('East Lane')
        ->setCity('San Francisco')
        ->setCountry('XX')
        ->setPostCode('10203'))
    ->setDisbursementMethods([wireTransfer('DE89 3704 0044 0532 0130 01')]);
$unacceptable = refusal(static fn () => $customers->createCustomer($nowhere));
printf("unacceptable: %d %s, %s\n", $unacceptable->getStatus(), $unacceptable->getCode(), faults($unacceptable));

$unknown = refusal(static fn () => $customers->getCustomer(PHP_INT_MAX));
printf("unknown id: %d %s\n", $unknown->getStatus(), $unknown->getCode());

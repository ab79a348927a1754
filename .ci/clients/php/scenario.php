<?php

declare(strict_types=1);

use OpenAPI\Client\Api\CustomersApi;
use OpenAPI\Client\ApiException;
use OpenAPI\Client\Configuration;
use OpenAPI\Client\Model\NewAddress;
use OpenAPI\Client\Model\NewCustomer;
use OpenAPI\Client\Model\Problem;

require 'GuzzleHttp/autoload.php';

// What Composer makes of the client's composer.json: PSR-4, below lib/.
spl_autoload_register(static function (string $class): void {
    $prefix = 'OpenAPI\\Client\\';
    if (str_starts_with($class, $prefix)) {
        require getenv('CLIENT') . '/lib/' . strtr(substr($class, strlen($prefix)), '\\', '/') . '.php';
    }
});

// A warning of the client is a failure too.
set_error_handler(static function (int $level, string $message, string $file, int $line): never {
    throw new ErrorException($message, 0, $level, $file, $line);
});

function equal(mixed $want, mixed $got): void
{
    if ($want !== $got) {
        throw new LogicException(sprintf('want %s, got %s', var_export($want, true), var_export($got, true)));
    }
}

function email(): string
{
    return sprintf('php-%s@example.com', bin2hex(random_bytes(16)));
}

function newCustomer(int|string $postCode, int|string $phoneNumber): NewCustomer
{
    return (new NewCustomer())
        ->setEmail(email())
        ->setFirstName('Johny')
        ->setMiddleName('Kanez')
        ->setLastName('Smith')
        ->setAddress((new NewAddress())
            ->setLine1('East Lane')
            ->setCity('San Francisco')
            ->setState('CA')
            ->setCountry('US')
            ->setPostCode($postCode))
        ->setPhoneNumber($phoneNumber);
}

function createAndRead(CustomersApi $customers, NewCustomer $body): void
{
    $created = $customers->createCustomer($body);
    $read = $customers->getCustomer($created->getId());
    foreach ([$created, $read] as $customer) {
        equal($created->getId(), $customer->getId());
        equal($body->getEmail(), $customer->getEmail());
        equal('Johny', $customer->getFirstName());
        equal('Kanez', $customer->getMiddleName());
        equal('Smith', $customer->getLastName());
        equal('+18885118600', $customer->getPhone());
        equal(null, $customer->getCompanyName());
        equal(null, $customer->getToken());
        equal(null, $customer->getDeletedAt());
        equal(1, $customer->getStatus());
        equal(0, $customer->getIsCompany());
        equal(true, $customer->getCreatedAt() instanceof DateTime);
        equal('10203', $customer->getAddress()->getPostCode());
        equal(null, $customer->getAddress()->getLine2());
    }
}

$customers = new CustomersApi(null, (new Configuration())
    ->setHost(getenv('ESCROW_URL'))
    ->setAccessToken(getenv('ESCROW_KEY')));

$numbers = newCustomer(10203, 8885118600);
createAndRead($customers, $numbers);
createAndRead($customers, newCustomer('10203', '+18885118600'));

// Only the e-mail address is required, and there is no address to read then.
$least = $customers->createCustomer((new NewCustomer())->setEmail(email()));
equal(null, $least->getAddress());
equal(null, $least->getPhone());

try {
    $customers->createCustomer($numbers);
    throw new LogicException('the second customer with one e-mail address was created');
} catch (ApiException $refusal) {
    equal(403, $refusal->getCode());
    equal(true, $refusal->getResponseObject() instanceof Problem);
    equal('email_already_in_use', $refusal->getResponseObject()->getCode());
}

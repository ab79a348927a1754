# What a partner does with the client that openapi-generator generates.

require 'json'
require 'openapi_client'
require 'securerandom'
require 'uri'

OpenapiClient.configure do |config|
  url = URI(ENV.fetch('ESCROW_URL'))
  config.scheme = url.scheme
  config.host = "#{url.host}:#{url.port}"
  config.base_path = url.path
  config.access_token = ENV.fetch('ESCROW_KEY')
end

CUSTOMERS = OpenapiClient::CustomersApi.new

def email
  "ruby-#{SecureRandom.uuid}@example.com"
end

def johny(post_code, phone_number)
  OpenapiClient::NewCustomer.new(
    email: email,
    first_name: 'Johny',
    last_name: 'Smith',
    address: OpenapiClient::NewAddress.new(
      line1: 'East Lane', city: 'San Francisco', state: 'CA', country: 'US', post_code: post_code
    ),
    phone_number: phone_number
  )
end

def create(body)
  CUSTOMERS.create_customer(body, idempotency_key: SecureRandom.uuid)
end

# The problem that the block is refused with.
def refusal
  yield
  raise 'it was not refused'
rescue OpenapiClient::ApiError => e
  OpenapiClient::Problem.build_from_hash(JSON.parse(e.response_body, symbolize_names: true))
end

# Says what is known of a customer; what is not is nil.
def describe(customer)
  [
    customer.first_name ? "#{customer.first_name} #{customer.last_name}" : 'no name',
    { 1 => 'active', 2 => 'suspended', 3 => 'closed' }.fetch(customer.status),
    customer.address ? "#{customer.address.post_code} #{customer.address.city}" : 'no address',
    customer.phone || 'no phone'
  ].join(', ')
end

def faults(problem)
  problem.errors.map { |fault| "#{fault.code} at #{fault.pointer}" }.join(', ')
end

def wire_transfer(iban)
  OpenapiClient::NewWireTransferMethod.new(
    type: 'wire_transfer',
    account_name: 'Johny Smith',
    currency: 'eur',
    bank_iban: iban,
    bank_swift_code: 'DEUTDEFF',
    bank_name: 'Deutsche Beispielbank',
    bank_address: OpenapiClient::WireBankAddress.new(city: 'Frankfurt am Main', country: 'DE'),
    beneficiary_address: OpenapiClient::BeneficiaryAddress.new(
      line1: 'East Lane', city: 'San Francisco', country: 'US'
    )
  )
end

numbers = johny(10_203, 8_885_118_600)
created = create(numbers)
puts "create with numbers: #{describe(created)}"
puts "create with strings: #{describe(create(johny('10203', '+18885118600')))}"
puts "create with the e-mail address only: #{describe(create(OpenapiClient::NewCustomer.new(email: email)))}"

taken = refusal { CUSTOMERS.create_customer(numbers) }
if taken.code == 'email_already_in_use' && taken.customer_id == created.id
  puts "create again: #{taken.status} #{taken.code}"
end

got = CUSTOMERS.get_customer(created.id)
puts "get: #{describe(got)}" if got.id == created.id

ach = OpenapiClient::NewAchMethod.new(
  type: 'ach',
  account_name: 'Johny Smith',
  account_type: 'checking',
  bank_aba_routing_number: '021000021',
  bank_account_number: '000123456789',
  bank_name: 'Bank of Coffee',
  bank_address: OpenapiClient::AchBankAddress.new(city: 'New York', state: 'NY'),
  currency: 'usd'
)
crypto_wallet = OpenapiClient::NewCryptoWalletMethod.new(
  type: 'crypto_wallet',
  asset: 'BTC',
  network: 'bitcoin',
  address: 'bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4'
)
paid = create(
  OpenapiClient::NewCustomer.new(
    email: email,
    disbursement_methods: [ach, wire_transfer('DE89 3704 0044 0532 0130 00'), crypto_wallet]
  )
)
paid.disbursement_methods.each do |method|
  case method.type
  when 'ach' then puts "ach: account ending in #{method.bank_account_number_last4}"
  when 'wire_transfer' then puts "wire_transfer: IBAN ending in #{method.bank_iban_last4}"
  when 'crypto_wallet' then puts "crypto_wallet: address ending in #{method.address_last4}"
  end
end

invalid = refusal { CUSTOMERS.create_customer(OpenapiClient::NewCustomer.new(email: 'johny.smith@localhost')) }
puts "invalid: #{invalid.status} #{invalid.code}, #{faults(invalid)}"

unacceptable = refusal do
  CUSTOMERS.create_customer(
    OpenapiClient::NewCustomer.new(
      email: email,
      address: OpenapiClient::NewAddress.new(
        line1: 'East Lane', city: 'San Francisco', country: 'XX', post_code: '10203'
      ),
      disbursement_methods: [wire_transfer('DE89 3704 0044 0532 0130 01')]
    )
  )
end
puts "unacceptable: #{unacceptable.status} #{unacceptable.code}, #{faults(unacceptable)}"

unknown = refusal { CUSTOMERS.get_customer((2**63) - 1) }
puts "unknown id: #{unknown.status} #{unknown.code}"

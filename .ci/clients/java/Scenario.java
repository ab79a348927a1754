import java.util.List;
import java.util.UUID;
import java.util.stream.Collectors;
import org.openapitools.client.ApiClient;
import org.openapitools.client.ApiException;
import org.openapitools.client.api.CustomersApi;
import org.openapitools.client.model.AchBankAddress;
import org.openapitools.client.model.BeneficiaryAddress;
import org.openapitools.client.model.Customer;
import org.openapitools.client.model.DisbursementMethod;
import org.openapitools.client.model.NewAchMethod;
import org.openapitools.client.model.NewAddress;
import org.openapitools.client.model.NewCryptoWalletMethod;
import org.openapitools.client.model.NewCustomer;
import org.openapitools.client.model.NewDisbursementMethod;
import org.openapitools.client.model.NewPhoneNumber;
import org.openapitools.client.model.NewPostCode;
import org.openapitools.client.model.NewWireTransferMethod;
import org.openapitools.client.model.Problem;
import org.openapitools.client.model.WireBankAddress;

/** What a partner does with the client that openapi-generator generates. */
public final class Scenario {
  private final ApiClient client = new ApiClient();
  private final CustomersApi customers;

  private Scenario(String url, String key) {
    client.updateBaseUri(url);
    client.setRequestInterceptor(request -> request.header("Authorization", "Bearer " + key));
    customers = new CustomersApi(client); // takes a copy of what the client is told above
  }

  public static void main(String[] args) throws Exception {
    new Scenario(System.getenv("ESCROW_URL"), System.getenv("ESCROW_KEY")).run();
  }

  private void run() throws Exception {
    NewCustomer numbers = johny(new NewPostCode(10203L), new NewPhoneNumber(8885118600L));
    Customer created = create(numbers);
    System.out.println("create with numbers: " + describe(created));
    NewCustomer strings = johny(new NewPostCode("10203"), new NewPhoneNumber("+18885118600"));
    System.out.println("create with strings: " + describe(create(strings)));
    Customer least = create(new NewCustomer().email(email()));
    System.out.println("create with the e-mail address only: " + describe(least));

    Problem taken = refusal(() -> customers.createCustomer(numbers, null, null));
    if (taken.getCode().equals("email_already_in_use")
        && created.getId().equals(taken.getCustomerId())) {
      System.out.println("create again: " + taken.getStatus() + " " + taken.getCode());
    }

    Customer got = customers.getCustomer(created.getId());
    if (got.getId().equals(created.getId())) {
      System.out.println("get: " + describe(got));
    }

    disburse();

    NewCustomer nobody = new NewCustomer().email("johny.smith@localhost");
    Problem invalid = refusal(() -> customers.createCustomer(nobody, null, null));
    System.out.println(
        "invalid: " + invalid.getStatus() + " " + invalid.getCode() + ", " + faults(invalid));

    NewCustomer nowhere =
        new NewCustomer()
            .email(email())
            .address(
                new NewAddress()
                    .line1("East Lane")
                    .city("San Francisco")
                    .country("XX")
                    .postCode(new NewPostCode("10203")))
            .addDisbursementMethodsItem(
                new NewDisbursementMethod(wireTransfer("DE89 3704 0044 0532 0130 01")));
    Problem unacceptable = refusal(() -> customers.createCustomer(nowhere, null, null));
    System.out.println(
        "unacceptable: "
            + unacceptable.getStatus()
            + " "
            + unacceptable.getCode()
            + ", "
            + faults(unacceptable));

    Problem unknown = refusal(() -> customers.getCustomer(Long.MAX_VALUE));
    System.out.println("unknown id: " + unknown.getStatus() + " " + unknown.getCode());
  }

  /** Creates a customer with one disbursement method of each kind. */
  private void disburse() throws ApiException {
    NewAchMethod ach =
        new NewAchMethod()
            .type(NewAchMethod.TypeEnum.ACH)
            .accountName("Johny Smith")
            .accountType(NewAchMethod.AccountTypeEnum.CHECKING)
            .bankAbaRoutingNumber("021000021")
            .bankAccountNumber("000123456789")
            .bankName("Bank of Coffee")
            .bankAddress(new AchBankAddress().city("New York").state("NY"))
            .currency(NewAchMethod.CurrencyEnum.USD);
    NewCryptoWalletMethod cryptoWallet =
        new NewCryptoWalletMethod()
            .type(NewCryptoWalletMethod.TypeEnum.CRYPTO_WALLET)
            .asset("BTC")
            .network(NewCryptoWalletMethod.NetworkEnum.BITCOIN)
            .address("bc1qw508d6qejxtdg4y5r3zarvary0c5xw7kv8f3t4");
    Customer paid =
        create(
            new NewCustomer()
                .email(email())
                .disbursementMethods(
                    List.of(
                        new NewDisbursementMethod(ach),
                        new NewDisbursementMethod(wireTransfer("DE89 3704 0044 0532 0130 00")),
                        new NewDisbursementMethod(cryptoWallet))));
    for (DisbursementMethod method : paid.getDisbursementMethods()) {
      System.out.println(
          switch (method.getType()) {
            case ACH -> "ach: account ending in " + method.getBankAccountNumberLast4();
            case WIRE_TRANSFER -> "wire_transfer: IBAN ending in " + method.getBankIbanLast4();
            case CRYPTO_WALLET -> "crypto_wallet: address ending in " + method.getAddressLast4();
          });
    }
  }

  private Customer create(NewCustomer body) throws ApiException {
    return customers.createCustomer(body, UUID.randomUUID().toString(), null);
  }

  private interface Call {
    Object make() throws ApiException;
  }

  private Problem refusal(Call call) throws Exception {
    try {
      call.make();
    } catch (ApiException refused) {
      return client.getObjectMapper().readValue(refused.getResponseBody(), Problem.class);
    }
    throw new IllegalStateException("it was not refused");
  }

  private static String email() {
    return "java-" + UUID.randomUUID() + "@example.com";
  }

  private static NewCustomer johny(NewPostCode postCode, NewPhoneNumber phoneNumber) {
    return new NewCustomer()
        .email(email())
        .firstName("Johny")
        .lastName("Smith")
        .address(
            new NewAddress()
                .line1("East Lane")
                .city("San Francisco")
                .state("CA")
                .country("US")
                .postCode(postCode))
        .phoneNumber(phoneNumber);
  }

  private static NewWireTransferMethod wireTransfer(String iban) {
    return new NewWireTransferMethod()
        .type(NewWireTransferMethod.TypeEnum.WIRE_TRANSFER)
        .accountName("Johny Smith")
        .currency(NewWireTransferMethod.CurrencyEnum.EUR)
        .bankIban(iban)
        .bankSwiftCode("DEUTDEFF")
        .bankName("Deutsche Beispielbank")
        .bankAddress(new WireBankAddress().city("Frankfurt am Main").country("DE"))
        .beneficiaryAddress(
            new BeneficiaryAddress().line1("East Lane").city("San Francisco").country("US"));
  }

  /** Says what is known of a customer; what is not is null. */
  private static String describe(Customer customer) {
    String name = "no name";
    if (customer.getFirstName() != null) {
      name = customer.getFirstName() + " " + customer.getLastName();
    }
    String status =
        switch (customer.getStatus()) {
          case Active -> "active";
          case Suspended -> "suspended";
          case Closed -> "closed";
        };
    String address = "no address";
    if (customer.getAddress() != null) {
      address = customer.getAddress().getPostCode() + " " + customer.getAddress().getCity();
    }
    String phone = customer.getPhone() != null ? customer.getPhone() : "no phone";
    return String.join(", ", name, status, address, phone);
  }

  private static String faults(Problem problem) {
    return problem.getErrors().stream()
        .map(fault -> fault.getCode() + " at " + fault.getPointer())
        .collect(Collectors.joining(", "));
  }
}

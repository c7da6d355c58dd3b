package bench.peers;

import org.springframework.boot.SpringApplication;
import org.springframework.boot.autoconfigure.SpringBootApplication;

/** Spring Cloud Gateway as its starter sets it up; the rest is in application.yml. */
@SpringBootApplication
public class SpringCloudGateway {
  public static void main(String[] arguments) {
    SpringApplication.run(SpringCloudGateway.class, arguments);
  }
}
